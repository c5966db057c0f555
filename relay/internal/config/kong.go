package config

import (
	"fmt"
	"reflect"
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
func (f *LogFormat) UnmarshalText(text []byte) error {
	switch got := LogFormat(text); got {
	case LogText, LogJSON:
		*f = got
		return nil
	default:
		return fmt.Errorf("expected text or json but got %q", text)
	}
}

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
	switch got := Registration(text); got {
	case RegistrationOpen, RegistrationClosed:
		*r = got
		return nil
	default:
		return fmt.Errorf("expected open or closed but got %q", text)
	}
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

// ParseSeconds reads a Go duration ("90s", "1h") or a whole number of seconds.
func ParseSeconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("expected a time such as 3600, 90s or 1h but got %q", text)
	}
	return d, nil
}

// decodeSeconds is [ParseSeconds] for fields tagged type:"seconds".
func decodeSeconds(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("time", &text); err != nil {
		return err
	}
	d, err := ParseSeconds(text)
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
