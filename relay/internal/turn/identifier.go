package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// identifierLen is the length of a pseudonym in bytes before it is written in
// hex: enough that two keys never share one.
const identifierLen = 16

// identifier is the pseudonym of a key in the provider's accounting: always the
// same one, and only for the holder of the secret to be told who it is.
func identifier(secret []byte, key Key) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(key.Device)) // holds no zero byte
	mac.Write([]byte{0})
	mac.Write([]byte(key.User))
	return hex.EncodeToString(mac.Sum(nil)[:identifierLen])
}
