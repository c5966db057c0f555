package config

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// Variable is one environment variable with the value its field has.
type Variable struct {
	Name  string
	Help  string
	Value any // a [Secret] prints as "***"
}

// Variables lists the environment variables in the order of the struct.
func (c *Config) Variables() []Variable {
	var list []Variable
	for field, value := range c.fields() {
		list = append(list, Variable{field.Tag.Get("env"), field.Tag.Get("help"), value.Interface()})
	}
	return list
}

// Names lists the environment variables the relay knows.
func Names() []string {
	var list []string
	for _, v := range new(Config).Variables() {
		list = append(list, v.Name)
	}
	return list
}

// Complete returns the configuration: the flags, and env for every field that the
// command line has left alone and for the secrets, which have no flag. parsed is
// the outcome of a parser whose grammar embeds f. The error joins one line for
// each variable that cannot be read; such a field keeps its default.
func (f *Flags) Complete(parsed *kong.Context, env map[string]string) (Config, error) {
	onCommandLine := make(map[*kong.Flag]bool)
	for _, step := range parsed.Path {
		onCommandLine[step.Flag] = true
	}
	var problems []error
	for _, flag := range parsed.Model.Flags {
		if len(flag.Envs) == 0 || onCommandLine[flag] || env[flag.Envs[0]] == "" {
			continue
		}
		problems = append(problems, set(flag, env[flag.Envs[0]]))
	}
	c := Config(*f)
	for _, list := range []*[]string{&c.AllowedOrigins, &c.TURNURLs, &c.TrustedProxies} {
		*list = trimmed(*list)
	}
	for field, value := range c.fields() {
		if value.Type() == reflect.TypeFor[Secret]() {
			value.SetString(strings.TrimSpace(env[field.Tag.Get("env")]))
		}
	}
	return c, errors.Join(problems...)
}

// set reads text into the flag's field, as if it had been given as the flag.
func set(flag *kong.Flag, text string) error {
	value := reflect.New(flag.Target.Type()).Elem()
	token := kong.Token{Type: kong.FlagValueToken, Value: strings.TrimSpace(text)}
	err := flag.Parse(kong.ScanFromTokens(token), value)
	if err == nil {
		flag.Apply(value)
		return nil
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without the name of the flag, which nobody has used
	}
	return fmt.Errorf("%s: %w (%s)", flag.Envs[0], err, strings.TrimSuffix(flag.Help, "."))
}

// trimmed removes the blanks of "a, b" and the empty entries of "a,".
func trimmed(list []string) []string {
	var out []string
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

// fields ranges over the fields that have an environment variable.
func (c *Config) fields() iter.Seq2[reflect.StructField, reflect.Value] {
	value := reflect.ValueOf(c).Elem()
	return func(yield func(reflect.StructField, reflect.Value) bool) {
		for _, field := range reflect.VisibleFields(value.Type()) { // those of embedded structs, too
			if field.Tag.Get("env") != "" && !yield(field, value.FieldByIndex(field.Index)) {
				return
			}
		}
	}
}
