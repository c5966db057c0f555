package relay

import (
	"crypto/hmac"
	"crypto/sha256"
)

// What keys are derived for. A label is never changed: what was made with its key
// would be worth nothing.
const (
	forPseudonyms = "turn pseudonyms"
	forTickets    = "session tickets"
)

// ticketKeys are made of every secret: the first signs, all verify.
func ticketKeys(cfg *Config) [][]byte {
	var keys [][]byte
	for _, secret := range cfg.JWTSecret.Parts() {
		keys = append(keys, derived(secret, forTickets))
	}
	return keys
}

// derived returns a key for one purpose: nothing that is signed for one counts for
// another.
func derived(secret Secret, purpose string) []byte {
	key := hmac.New(sha256.New, []byte(secret.Reveal()))
	key.Write([]byte(purpose))
	return key.Sum(nil)
}
