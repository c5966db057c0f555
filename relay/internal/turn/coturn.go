package turn

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the scheme fixes HMAC-SHA1
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"wimz.dev/live/relay/internal/config"
)

// CoturnConfig configures a [Coturn] provider.
type CoturnConfig struct {
	// URLs are of RFC 7064 and RFC 7065; at least one is of TURN.
	URLs []string
	// Secret is what coturn has as static-auth-secret, beside use-auth-secret.
	Secret config.Secret
}

// Coturn is the [Provider] for servers that share a secret with the relay and
// check credentials by it (coturn's use-auth-secret, Pion, eturnal and others;
// draft-uberti-behave-turn-rest-00). It speaks to nobody: the expiry is part of
// the username, and the clocks of relay and server must agree to seconds.
//
// coturn looks at the expiry when an allocation is made; one that stands is
// refreshed for as long as its client wants.
type Coturn struct {
	servers ownServers
	// sign is a closure: printing the provider shows no secret.
	sign func(username string) (credential string)
}

// NewCoturn checks the configuration.
func NewCoturn(cfg CoturnConfig) (*Coturn, error) {
	if cfg.Secret == "" {
		return nil, errors.New("turn: the secret shared with the TURN server is required")
	}
	servers, err := parseServers(cfg.URLs)
	if err != nil {
		return nil, err
	}
	return &Coturn{servers: servers, sign: func(username string) string {
		mac := hmac.New(sha1.New, []byte(cfg.Secret.Reveal()))
		mac.Write([]byte(username))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}}, nil
}

// Mint implements [Provider]. Without an identifier it makes up a random one.
func (c *Coturn) Mint(ctx context.Context, ttl time.Duration, customIdentifier string) (Credentials, error) {
	if err := inTime(ctx); err != nil {
		return Credentials{}, err
	}
	issued := time.Now()
	expires := issued.Add(ttl.Truncate(time.Second))
	username := expiryStamp(expires) + ":" + cmp.Or(customIdentifier, rand.Text())
	return Credentials{
		ICEServers: c.servers.with(username, c.sign(username)),
		IssuedAt:   issued, ExpiresAt: expires,
	}, nil
}

// Revoke implements [Provider]. It does nothing: the server keeps no list from
// which a credential could be taken, it ends by its expiry alone. A short
// TURN_CREDENTIAL_TTL limits what a leaked one is worth.
func (*Coturn) Revoke(context.Context, string) error { return nil }

// expiryStamp is a time in whole seconds, rounded up: a credential is good for
// at least as long as it is said to be.
func expiryStamp(t time.Time) string {
	return strconv.FormatInt(t.Add(time.Second-time.Nanosecond).Unix(), 10)
}
