// Package terminal makes the words of others fit for a terminal.
package terminal

import (
	"strings"
	"unicode"
)

// Printable replaces what a terminal would obey in a text, and all else that is not to
// be seen.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
