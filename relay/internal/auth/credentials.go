package auth

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/wire"
)

// DeviceCredentials is what a robot presents when it connects. Nothing in it has
// been checked.
type DeviceCredentials struct {
	DeviceID  wire.DeviceID
	Timestamp string        // unix seconds in decimal; empty for a static signature
	Signature config.Secret // lowercase hex; never logged
}

// CredentialsFrom reads the credentials from the query (device_id, sig and
// timestamp) or, if it names no device, from the headers X-Device-ID, X-Timestamp
// and X-Signature. The two are never mixed.
func CredentialsFrom(r *http.Request) DeviceCredentials {
	get, names := r.Header.Get, [...]string{"X-Device-ID", "X-Timestamp", "X-Signature"}
	if query := r.URL.Query(); query.Has("device_id") {
		get, names = query.Get, [...]string{"device_id", "timestamp", "sig"}
	}
	return DeviceCredentials{
		DeviceID:  wire.DeviceID(get(names[0])),
		Timestamp: get(names[1]),
		Signature: config.Secret(get(names[2])),
	}
}

// NewDeviceSecret returns the key of a new device: 256 random bits in 64 hex
// digits. The digits themselves are the key.
func NewDeviceSecret() config.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return config.Secret(hex.EncodeToString(key))
}

func (c *DeviceCredentials) static() bool { return c.Timestamp == "" }
