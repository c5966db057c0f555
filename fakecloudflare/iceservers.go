package fakecloudflare

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/pion/stun/v3"

	"wimz.dev/live/fakecloudflare/turnrest"
)

// iceServer is an RTCIceServer of the WebRTC specification.
type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// form is a shape the answer has had over the years.
type form int

const (
	formSplit  form = iota // since 2025: STUN and TURN apart, in a list
	formMerged             // before: one entry in a list
	formObject             // the first: one entry and no list
)

// arrange puts the servers, STUN first, into the form.
func (f form) arrange(split []iceServer) any {
	merged := iceServer{URLs: []string{}}
	for _, server := range split {
		merged.URLs = append(merged.URLs, server.URLs...)
		merged.Username, merged.Credential = server.Username, server.Credential
	}
	switch f {
	case formObject:
		return map[string]any{"iceServers": merged}
	case formMerged:
		return map[string]any{"iceServers": []iceServer{merged}}
	default:
		return map[string]any{"iceServers": split}
	}
}

// iceServers lists the servers for a username: an entry of STUN URLs, and one
// of TURN URLs with the credential.
func (s *Server) iceServers(username string) []iceServer {
	stunServer := iceServer{URLs: []string{}}
	turnServer := iceServer{URLs: []string{}, Username: username, Credential: turnrest.Password(s.cfg.TURNSecret, username)}
	firstUDP := ""
	for _, url := range s.iceURLs() {
		uri, err := stun.ParseURI(url)
		switch {
		case err != nil: // cannot be: AddICEURLs has parsed it
		case uri.Scheme == stun.SchemeTypeSTUN, uri.Scheme == stun.SchemeTypeSTUNS:
			stunServer.URLs = append(stunServer.URLs, url)
		case firstUDP == "" && uri.Scheme == stun.SchemeTypeTURN && uri.Proto == stun.ProtoTypeUDP:
			firstUDP = uri.Host
			turnServer.URLs = append(turnServer.URLs, url)
			turnServer.URLs = append(turnServer.URLs, "turn:"+net.JoinHostPort(uri.Host, "53")+"?transport=udp")
			if len(stunServer.URLs) == 0 {
				stunServer.URLs = append(stunServer.URLs, "stun:"+net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)))
			}
		default:
			turnServer.URLs = append(turnServer.URLs, url)
		}
	}
	if firstUDP != "" {
		stunServer.URLs = append(stunServer.URLs, "stun:"+net.JoinHostPort(firstUDP, "53"))
	}
	return []iceServer{stunServer, turnServer}
}

func checkICEURL(url string) error {
	if _, err := stun.ParseURI(url); err != nil {
		return fmt.Errorf("ICE URL %q: %w", url, err)
	}
	if strings.HasPrefix(url, "turn:") && !strings.Contains(url, "?transport=") {
		return fmt.Errorf("ICE URL %q: name the transport, as the API does", url)
	}
	return nil
}
