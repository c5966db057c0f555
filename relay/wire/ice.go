package wire

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// SessionDescription is an SDP offer or answer (RFC 8829), as browsers write it.
type SessionDescription struct {
	Type string `json:"type"` // "offer" or "answer"
	SDP  string `json:"sdp"`
}

// Candidate is one trickled ICE candidate (RFC 8838), as browsers write it. An
// empty Candidate string says that there will be no more.
type Candidate struct {
	Candidate     string  `json:"candidate"`
	SDPMid        *string `json:"sdpMid,omitempty"`
	SDPMLineIndex *uint16 `json:"sdpMLineIndex,omitempty"`
}

// ICEServers is the list of STUN and TURN servers of a session. On the wire it
// is {"iceServers":[…]}; a bare list is read as well, robots in the field send
// it. It holds credentials and prints none.
type ICEServers struct {
	Servers []ICEServer
}

// ICEServer is one entry of the list: URLs of RFC 7064 and RFC 7065, and for
// TURN the credentials of RFC 8489 §9.2.
type ICEServer struct {
	URLs       URLs   `json:"urls"`
	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
}

// URLs is a list of ICE server URLs; a single string is read as a list of one.
type URLs []string

// MarshalJSON writes the object form.
func (s ICEServers) MarshalJSON() ([]byte, error) {
	servers := s.Servers
	if servers == nil {
		servers = []ICEServer{}
	}
	return json.Marshal(struct {
		Servers []ICEServer `json:"iceServers"`
	}{servers})
}

// UnmarshalJSON reads the object form, with one server or a list of them, and
// the bare list.
func (s *ICEServers) UnmarshalJSON(data []byte) error {
	list := json.RawMessage(data)
	if startsWith(data, '{') {
		var object struct {
			Servers json.RawMessage `json:"iceServers"`
		}
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		list = object.Servers
	}
	if startsWith(list, '{') {
		s.Servers = make([]ICEServer, 1)
		return json.Unmarshal(list, &s.Servers[0])
	}
	if len(list) == 0 {
		return fmt.Errorf("no iceServers")
	}
	return json.Unmarshal(list, &s.Servers)
}

// UnmarshalJSON reads a string or a list of strings.
func (u *URLs) UnmarshalJSON(data []byte) error {
	if startsWith(data, '"') {
		*u = make(URLs, 1)
		return json.Unmarshal(data, &(*u)[0])
	}
	return json.Unmarshal(data, (*[]string)(u))
}

// HasTURN reports whether media can be relayed with these servers.
func (s ICEServers) HasTURN() bool {
	for _, server := range s.Servers {
		for _, url := range server.URLs {
			if strings.HasPrefix(url, "turn:") || strings.HasPrefix(url, "turns:") {
				return true
			}
		}
	}
	return false
}

// String names the URLs and leaves the credentials out.
func (s ICEServers) String() string {
	var urls []string
	for _, server := range s.Servers {
		urls = append(urls, server.URLs...)
	}
	return "[" + strings.Join(urls, " ") + "]"
}

// GoString is [ICEServers.String], so that %#v prints no credential either.
func (s ICEServers) GoString() string { return s.String() }

// LogValue is [ICEServers.String].
func (s ICEServers) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String names the URLs and leaves the credentials out.
func (s ICEServer) String() string { return ICEServers{[]ICEServer{s}}.String() }

// GoString is [ICEServer.String].
func (s ICEServer) GoString() string { return s.String() }

// LogValue is [ICEServer.String].
func (s ICEServer) LogValue() slog.Value { return slog.StringValue(s.String()) }

func startsWith(data []byte, c byte) bool { return len(data) > 0 && data[0] == c }
