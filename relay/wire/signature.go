package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// SignatureWindow is how far a device's clock may be off (CONTRACT §3.2).
const SignatureWindow = 300 * time.Second

// Sign returns the signature a device connects with: lowercase hex of
// HMAC-SHA256 (RFC 2104) over "<device_id>:<unix seconds>", keyed with the
// device's own secret. A zero time gives the static form, over the identifier
// alone.
func Sign(secret string, id DeviceID, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id))
	if !at.IsZero() {
		mac.Write([]byte(":" + strconv.FormatInt(at.Unix(), 10)))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// VerifySignature reports whether sig is what [Sign] returns, compared in
// constant time.
func VerifySignature(secret string, id DeviceID, at time.Time, sig string) bool {
	return hmac.Equal([]byte(Sign(secret, id, at)), []byte(sig))
}
