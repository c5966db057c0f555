package turn

import (
	"context"
	"log/slog"
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
	// ExpiresAt is by our clock, and rather too early than too late. It is zero
	// where nothing expires.
	ExpiresAt time.Time
}

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

// None is the provider of a relay without TURN: media flows on the local
// network or not at all. Its credentials are an empty list that never expires.
type None struct{}

// Mint returns the empty list.
func (None) Mint(context.Context, time.Duration, string) (Credentials, error) {
	return Credentials{}, nil
}

// Revoke does nothing.
func (None) Revoke(context.Context, string) error { return nil }

// Token is a secret that does not print itself.
type Token string

// String hides the token.
func (Token) String() string { return "***" }

// GoString hides the token.
func (Token) GoString() string { return "***" }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue("***") }
