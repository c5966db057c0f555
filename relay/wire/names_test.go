package wire

import (
	"slices"
	"testing"
)

// TestNames finds a constant that is not listed.
func TestNames(t *testing.T) {
	for kind, listed := range map[string][]string{
		"Type": texts(Types()), "Code": texts(Codes()), "Reason": texts(Reasons()),
	} {
		if want := constants(t, kind); !slices.Equal(listed, want) {
			t.Errorf("%s: listed are %q, want %q", kind, listed, want)
		}
	}
}

func texts[T ~string](names []T) []string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	slices.Sort(all)
	return all
}
