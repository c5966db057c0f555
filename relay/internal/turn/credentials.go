package turn

import (
	"context"
	"slices"
	"time"

	"wimz.dev/live/relay/wire"
)

// Lifetimes a provider can be asked for (CONTRACT §2).
const (
	DefaultTTL = time.Hour
	MinTTL     = time.Minute
	MaxTTL     = 48 * time.Hour
)

// Credentials are ICE servers and the time until which they can be used. The
// value is shared: do not change what it points to.
type Credentials struct {
	ICEServers wire.ICEServers
	// IssuedAt is by our clock, taken before the provider was asked.
	IssuedAt time.Time
	// ExpiresAt is by our clock, and rather too early than too late. It is zero
	// where nothing expires.
	ExpiresAt time.Time
}

// renewPart is the part of a life, in percent, after which a session that is
// still up gets new credentials (CONTRACT §4 no. 11).
const renewPart = 80

// RenewAt is when credentials in use should be replaced: after 80 % of their
// life. It is zero where nothing expires.
func (c Credentials) RenewAt() time.Time {
	if c.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return c.IssuedAt.Add(c.life() * renewPart / 100)
}

// life is how long the credentials live in all, which means nothing where
// nothing expires.
func (c Credentials) life() time.Duration { return c.ExpiresAt.Sub(c.IssuedAt) }

// Usernames lists the different TURN usernames: the names by which the
// credentials can be revoked.
func (c Credentials) Usernames() []string {
	var names []string
	for _, server := range c.ICEServers.Servers {
		if server.Username != "" && !slices.Contains(names, server.Username) {
			names = append(names, server.Username)
		}
	}
	return names
}

// lastsAt reports whether more than d of the life is left at a time.
func (c Credentials) lastsAt(now time.Time, d time.Duration) bool {
	return c.ExpiresAt.IsZero() || c.ExpiresAt.Sub(now) > d
}

// Provider issues and revokes credentials. Implementations are safe for
// concurrent use, return when the context ends at the latest, and report a
// failure as an [*Error].
type Provider interface {
	// Mint issues credentials that live for ttl, a whole number of seconds. The
	// identifier tags them in the provider's accounting; it may be empty and
	// must not name a person.
	Mint(ctx context.Context, ttl time.Duration, customIdentifier string) (Credentials, error)
	// Revoke ends credentials before their time. Unknown ones are no error.
	Revoke(ctx context.Context, username string) error
}
