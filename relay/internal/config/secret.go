package config

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// mask stands in for every secret that is printed.
const mask = "***"

// Secret is a string that does not show itself: every way of printing, logging
// or encoding it yields "***". [Secret.Reveal] is the only way to its value.
type Secret string

// Reveal returns the value. The caller keeps it out of logs, errors and URLs.
func (s Secret) Reveal() string { return string(s) }

// Parts returns the secrets of a list separated by commas, without the blanks
// around them; none of an empty list. Of a list for rotation the first is used
// for what is made from now on, and all are good for what was made before.
func (s Secret) Parts() []Secret {
	var parts []Secret
	for _, part := range trimmed(strings.Split(string(s), ",")) {
		parts = append(parts, Secret(part))
	}
	return parts
}

// String returns "***".
func (s Secret) String() string { return mask }

// GoString returns "***", for %#v.
func (s Secret) GoString() string { return mask }

// Format writes "***" for every verb, also for those that do not suit a string
// and would otherwise print the value beside the complaint. Only %p gets past it,
// and go vet refuses that.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue returns "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns "***", for JSON, YAML and other encoders. A Secret is
// therefore never sent anywhere by encoding it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
