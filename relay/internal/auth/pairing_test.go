package auth

import (
	"fmt"
	"strings"
	"testing"
)

func TestParsePairingCode(t *testing.T) {
	for typed, want := range map[string]string{
		"7K3M-9QXD": "7K3M-9QXD", "7k3m9qxd": "7K3M-9QXD", "7k3m-9QXD": "7K3M-9QXD", "7K3M 9QXD": "7K3M-9QXD",
		" 7K3M-9QXD\n": "7K3M-9QXD", "7K3M–9QXD": "7K3M-9QXD", "7-K-3-M-9-Q-X-D": "7K3M-9QXD",
		"oOiI-lLzZ": "0011-11ZZ", "0000-0000": "0000-0000",
		"": "", "7K3M-9QX": "", "7K3M-9QXDD": "", "7K3M-9QXU": "", "7K3M_9QXD": "", "7K3M-9QÄD": "", "7K3M-9QX\x00": "",
		"7K3M-9QX\xff": "", "--------": "", "7K3M9QXD" + strings.Repeat(" ", 57): "",
	} {
		code, ok := ParsePairingCode(typed)
		if ok != (want != "") || code.Reveal() != want {
			t.Errorf("%q: got %q, %t, want %q", typed, code.Reveal(), ok, want)
		}
	}
}

func TestNewPairingCode(t *testing.T) {
	seen := map[string]bool{}
	symbols := map[rune]bool{}
	for range 1000 {
		code := NewPairingCode()
		text := code.Reveal()
		if parsed, ok := ParsePairingCode(text); !ok || parsed != code || len(text) != 9 || seen[text] {
			t.Fatalf("drew %s", text)
		}
		seen[text] = true
		for _, symbol := range text {
			symbols[symbol] = true
		}
	}
	if len(symbols) != 33 { // with the dash
		t.Errorf("only %d symbols are ever drawn", len(symbols))
	}
}

func TestPairingCodeIsSecret(t *testing.T) {
	code, other := NewPairingCode(), NewPairingCode()
	if code.Hash() == other.Hash() || code.Hash() != (PairingCode{code.Secret}).Hash() {
		t.Error("the hash does not follow the code")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if shown := fmt.Sprintf(verb, code) + fmt.Sprintf(verb, &code); strings.Contains(shown, code.Reveal()) {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
}

func FuzzParsePairingCode(f *testing.F) {
	for _, typed := range []string{"7K3M-9QXD", "oilu", "ıſK\u2013\u00a0", strings.Repeat("-", 70)} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := ParsePairingCode(typed)
		if !ok {
			if code != (PairingCode{}) {
				t.Errorf("%q gives %q and is none", typed, code.Reveal())
			}
			return
		}
		text := code.Reveal()
		again, ok := ParsePairingCode(text)
		if !ok || again != code || len(text) != 9 || text[4] != '-' || strings.Trim(text, codeSymbols+"-") != "" {
			t.Errorf("%q gives %q", typed, text)
		}
	})
}
