package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// LogFormat is the form of the log, "text" or "json".
type LogFormat string

// The forms a log can have.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText accepts the two forms and nothing else.
func (f *LogFormat) UnmarshalText(text []byte) error { return choose(f, text, LogText, LogJSON) }

// Registration says who may make an account, "open" or "closed".
type Registration string

// Who may make an account. Open is the default: the apps in the field sign their
// people up, and a relay that refuses them looks broken. An account alone gives
// access to no robot.
const (
	RegistrationOpen   Registration = "open"   // anybody
	RegistrationClosed Registration = "closed" // the operator, on the command line
)

// UnmarshalText accepts the two values and nothing else.
func (r *Registration) UnmarshalText(text []byte) error {
	return choose(r, text, RegistrationOpen, RegistrationClosed)
}

// choose reads one of some values, and nothing else.
func choose[T ~string](into *T, text []byte, values ...T) error {
	if got := T(text); slices.Contains(values, got) {
		*into = got
		return nil
	}
	return fmt.Errorf("expected one of %v but got %q", values, text)
}

// Options are what a kong parser needs to build a grammar with [Flags] in it.
func Options() []kong.Option {
	return []kong.Option{
		kong.NamedMapper("seconds", kong.MapperFunc(decodeSeconds)),
		kong.ValueFormatter(describe),
	}
}

// OwnEnvironment takes the environment out of the parser's hands: kong reads
// os.Environ itself and quotes what it cannot parse. The variables' names stay
// known, for the help text and for [Flags.Complete]. Call it once, before parsing.
func OwnEnvironment(parser *kong.Kong) {
	for _, flag := range parser.Model.Flags {
		flag.Tag.Envs = nil
	}
}

// parseSeconds reads a Go duration ("90s", "1h") or a whole number of seconds.
func parseSeconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("expected a time such as 3600, 90s or 1h but got %q", text)
	}
	return d, nil
}

// decodeSeconds is [parseSeconds] for fields tagged type:"seconds".
func decodeSeconds(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("time", &text); err != nil {
		return err
	}
	d, err := parseSeconds(text)
	if err == nil {
		target.Set(reflect.ValueOf(d))
	}
	return err
}

// describe adds the variable's name to the help of a flag.
func describe(v *kong.Value) string {
	if v.Flag == nil || len(v.Flag.Envs) == 0 {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " ($" + v.Flag.Envs[0] + ")."
}
