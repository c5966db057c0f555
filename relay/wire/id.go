package wire

// DeviceID names a robot: 1 to 64 characters of [A-Za-z0-9_-], so that it can
// stand in a URL, a file name, a log line or a message-bus subject as it is.
type DeviceID string

// Valid reports whether the identifier has the form above.
func (id DeviceID) Valid() bool { return validID(string(id)) }

// SessionID names one viewing of one robot by one app. The relay mints it (a
// UUID, RFC 9562); whoever knows it may still not speak in the session unless
// they are one of its two parties.
type SessionID string

// Valid reports whether the identifier is one a relay could have minted.
func (id SessionID) Valid() bool { return validID(string(id)) }

func validID(s string) bool {
	if s == "" || len(s) > MaxIDLen {
		return false
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
