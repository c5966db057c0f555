package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"unicode"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

const (
	// codeSymbols is Crockford's base 32, which has no I, L, O and U: what looks
	// alike is one symbol.
	codeSymbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// codeLength makes 2⁴⁰ codes of 5 bits a symbol.
	codeLength = 8
	// maxTypedCode bounds in bytes what is looked at.
	maxTypedCode = 64
)

// PairingCode is what a robot shows and its owner types: whoever knows it can
// claim the robot. It is a secret. Reveal returns it as it is shown, XXXX-XXXX.
type PairingCode struct{ config.Secret }

// NewPairingCode draws a code.
func NewPairingCode() PairingCode {
	code := make([]byte, codeLength)
	_, _ = rand.Read(code) // never fails (crypto/rand)
	for i, b := range code {
		code[i] = codeSymbols[int(b)%len(codeSymbols)] // 32 divides 256: no symbol is likelier
	}
	return newPairingCode(string(code))
}

// ParsePairingCode reads what somebody has typed: in any case, with or without
// dashes and spaces, and with the letters that look like a digit for it.
func ParsePairingCode(typed string) (code PairingCode, ok bool) {
	if len(typed) > maxTypedCode {
		return PairingCode{}, false
	}
	symbols := strings.Map(codeSymbol, typed)
	if len(symbols) != codeLength || strings.Trim(symbols, codeSymbols) != "" {
		return PairingCode{}, false
	}
	return newPairingCode(symbols), true
}

// Hash is what is stored of the code. It needs no key: who can read the store
// finds the secrets of the devices beside it, which are worth more.
func (c PairingCode) Hash() store.CodeHash { return sha256.Sum256([]byte(c.Reveal())) }

func newPairingCode(symbols string) PairingCode {
	return PairingCode{config.Secret(symbols[:codeLength/2] + "-" + symbols[codeLength/2:])}
}

// codeSymbol returns the symbol that a typed character stands for, -1 for none.
func codeSymbol(typed rune) rune {
	switch symbol := unicode.ToUpper(typed); {
	case unicode.IsSpace(symbol), unicode.Is(unicode.Pd, symbol): // phones make dashes of their own
		return -1
	case symbol == 'O':
		return '0'
	case symbol == 'I', symbol == 'L':
		return '1'
	default:
		return symbol
	}
}
