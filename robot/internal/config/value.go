package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

const redacted = "***"

// Secret is a value that must not be seen: everything that prints it prints
// three stars. string(s) is the value itself.
type Secret string

// String returns three stars, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is [Secret.String], so that %#v prints no secret either.
func (s Secret) GoString() string { return s.String() }

// LogValue is [Secret.String].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is [Secret.String]: JSON gets no secret either.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is [Secret.String].
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// Duration is written as a number of seconds (5, 0.5) or with units (5s, 2m).
type Duration time.Duration

// UnmarshalYAML reads either form.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	if seconds, err := strconv.ParseFloat(node.Value, 64); err == nil {
		nanos := seconds * float64(time.Second)
		if math.IsNaN(nanos) || math.Abs(nanos) >= math.MaxInt64 {
			return fmt.Errorf("line %d: %q is no length of time", node.Line, node.Value)
		}
		*d = Duration(nanos)
		return nil
	}
	parsed, err := time.ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no length of time; use seconds (5) or a unit (5s, 2m)", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalYAML writes the form with units.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// String returns the form with units.
func (d Duration) String() string { return time.Duration(d).String() }
