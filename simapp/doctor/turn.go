package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/pion/stun/v4"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp"
)

const (
	// credentialTTL is how many seconds the credentials of a visit live.
	credentialTTL = 120
	// maxServers bounds how many URLs are tried.
	maxServers = 12
)

// server is one URL of the list with its credential, which is never printed.
type server struct {
	*stun.URI
	username, credential string
}

// credentials asks for TURN servers, as an app does that has no session yet.
func (v *visit) credentials(ctx context.Context) Result {
	const advice = "set the relay's TURN provider up (relay/deploy): without TURN, viewers outside of the robot's network may not reach it"
	api := client.API{URL: v.RelayURL, As: client.App(func() string { return v.token })}
	var list wire.ICEServers
	err := api.Call(ctx, http.MethodPost, "/api/turn/credentials", map[string]int{"ttl": credentialTTL}, &list)
	if refused, ok := errors.AsType[*simapp.APIError](err); ok && refused.Status/100 == 5 {
		return bad(advice, "the relay has no TURN servers for us: %s", printable(refused.Detail))
	}
	if err != nil {
		return v.failed(err)
	}
	filtered := v.read(list)
	turns := 0
	for _, s := range v.servers {
		if s.isTURN() {
			turns++
		}
	}
	if turns == 0 {
		return bad(advice, "the relay names no TURN server")
	}
	r := good("the relay names %s", several(turns, "TURN URL"))
	if filtered > 0 {
		r.Text += fmt.Sprintf("; %s of port 53 left out, as browsers do", several(filtered, "URL"))
	}
	return r
}

// read keeps the servers that this machine would use, and returns how many it would
// not because of their port.
func (v *visit) read(list wire.ICEServers) (filtered int) {
	for _, s := range list.Servers {
		filtered += len(s.URLs)
	}
	for _, s := range rtc.ICEServers(list) {
		filtered -= len(s.URLs)
		for _, text := range s.URLs {
			credential, _ := s.Credential.(string)
			if uri, err := stun.ParseURI(text); err == nil && len(v.servers) < maxServers {
				v.servers = append(v.servers, server{uri, s.Username, credential})
			}
		}
	}
	return filtered
}

// turns are the checks of the TURN servers, one for each URL.
func (v *visit) turns() []check {
	var checks []check
	for _, s := range v.servers {
		if s.isTURN() {
			checks = append(checks, check{name: "turn " + s.transport(), look: func(ctx context.Context) Result {
				return v.turn(ctx, s)
			}})
		}
	}
	if len(checks) == 0 {
		checks = append(checks, check{name: "turn", needs: []string{"credentials"}})
	}
	return checks
}

func (s server) isTURN() bool {
	return s.Scheme == stun.SchemeTypeTURN || s.Scheme == stun.SchemeTypeTURNS
}

// overUDP reports whether the server is also one that answers STUN over UDP.
func (s server) overUDP() bool {
	return s.Proto == stun.ProtoTypeUDP && (s.Scheme == stun.SchemeTypeSTUN || s.Scheme == stun.SchemeTypeTURN)
}

// transport is how the server is spoken with: "udp", "tcp", "tls" or "dtls".
func (s server) transport() string {
	switch secure := s.Scheme == stun.SchemeTypeTURNS; {
	case secure && s.Proto == stun.ProtoTypeUDP:
		return "dtls"
	case secure:
		return "tls"
	default:
		return s.Proto.String()
	}
}

func (s server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
