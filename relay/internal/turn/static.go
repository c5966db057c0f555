package turn

import (
	"context"
	"errors"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/wire"
)

// StaticConfig configures a [Static] provider.
type StaticConfig struct {
	// URLs are of RFC 7064 and RFC 7065; at least one is of TURN.
	URLs []string
	// Username and Password are what the TURN servers know. Every user of the
	// relay gets to see them.
	Username string
	Password config.Secret
}

// Static is the [Provider] of servers whose credentials stay what they are:
// everybody gets the same ones, for any ttl, and they never expire.
type Static struct {
	// credentials are in a closure: printing the provider shows none.
	credentials func() Credentials
}

// NewStatic checks the configuration.
func NewStatic(cfg StaticConfig) (*Static, error) {
	servers, err := parseServers(cfg.URLs)
	if err != nil {
		return nil, err
	}
	if cfg.Username == "" || cfg.Password == "" {
		return nil, errors.New("turn: username and password are required")
	}
	list := servers.with(cfg.Username, cfg.Password.Reveal())
	return &Static{func() Credentials { return Credentials{ICEServers: list, IssuedAt: time.Now()} }}, nil
}

// Mint implements [Provider]. It neither limits nor tags what it returns.
func (s *Static) Mint(ctx context.Context, _ time.Duration, _ string) (Credentials, error) {
	if err := inTime(ctx); err != nil {
		return Credentials{}, err
	}
	return s.credentials(), nil
}

// Revoke implements [Provider]. It does nothing: the others use them, too.
func (*Static) Revoke(context.Context, string) error { return nil }

// None is the provider of a relay without TURN: media flows on the local
// network or not at all. Its credentials are an empty list that never expires.
type None struct{}

// Mint returns the empty list.
func (None) Mint(ctx context.Context, _ time.Duration, _ string) (Credentials, error) {
	if err := inTime(ctx); err != nil {
		return Credentials{}, err
	}
	return Credentials{IssuedAt: time.Now()}, nil
}

// Revoke does nothing.
func (None) Revoke(context.Context, string) error { return nil }

// inTime is for providers that wait for nothing: they, too, give nothing to
// somebody who has left.
func inTime(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return transportError(err)
	}
	return nil
}

// ownServers are those that an operator has named.
type ownServers struct{ stun, turn wire.URLs }

// parseServers reads URLs, and leaves out what a browser could not use. Its
// errors repeat none: an operator may have written a password into it.
func parseServers(urls []string) (ownServers, error) {
	var s ownServers
	for _, url := range urls {
		scheme, port, ok := splitURL(url)
		switch {
		case !ok:
			return ownServers{}, errors.New("turn: a URL is not one of STUN or TURN, such as turn:turn.example.com:3478?transport=udp")
		case port == blockedPort:
		case scheme == "stun" || scheme == "stuns":
			s.stun = append(s.stun, url)
		default:
			s.turn = append(s.turn, url)
		}
	}
	if len(s.turn) == 0 {
		return ownServers{}, errors.New("turn: no URL names a TURN server that browsers use")
	}
	return s, nil
}

// with is the list that the parties of a session get.
func (s ownServers) with(username, credential string) wire.ICEServers {
	list := []wire.ICEServer{{URLs: s.turn, Username: username, Credential: credential}}
	if len(s.stun) > 0 {
		list = append([]wire.ICEServer{{URLs: s.stun}}, list...)
	}
	return wire.ICEServers{Servers: list}
}
