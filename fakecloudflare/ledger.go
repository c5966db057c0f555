package fakecloudflare

import (
	"sync"
	"time"
)

// ledgerLimit bounds the memory of a long test: the oldest entries go first.
const ledgerLimit = 100_000

// Credential is what the ledger keeps of a credential: all but the password.
type Credential struct {
	Username         string    `json:"username"`
	TTL              int       `json:"ttl"` // seconds, as asked for
	CustomIdentifier string    `json:"custom_identifier,omitempty"`
	IssuedAt         time.Time `json:"issued_at"`
	ExpiresAt        time.Time `json:"expires_at"`
	RevokedAt        time.Time `json:"revoked_at,omitzero"`
}

// LiveAt reports whether the credential is good at that time: neither expired
// nor revoked.
func (c Credential) LiveAt(now time.Time) bool {
	return c.RevokedAt.IsZero() && now.Before(c.ExpiresAt)
}

// Issued lists every credential ever issued, oldest first.
func (s *Server) Issued() []Credential {
	return s.ledger.list(func(Credential) bool { return true })
}

// Live lists the credentials that are good at that time, oldest first.
func (s *Server) Live(now time.Time) []Credential {
	return s.ledger.list(func(c Credential) bool { return c.LiveAt(now) })
}

// Authorised reports whether a TURN server should serve the username: it was
// issued here, and is neither expired nor revoked.
func (s *Server) Authorised(username string) bool {
	c, found := s.ledger.find(username)
	return found && c.LiveAt(time.Now())
}

type ledger struct {
	mu         sync.Mutex
	order      []*Credential          // guarded by mu
	byUsername map[string]*Credential // guarded by mu
}

func (l *ledger) add(c Credential) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byUsername == nil {
		l.byUsername = make(map[string]*Credential)
	}
	if len(l.order) == ledgerLimit {
		delete(l.byUsername, l.order[0].Username)
		l.order = l.order[1:]
	}
	l.order = append(l.order, &c)
	l.byUsername[c.Username] = &c
}

// revoke marks a credential once, and reports whether it exists.
func (l *ledger) revoke(username string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, found := l.byUsername[username]
	if found && c.RevokedAt.IsZero() {
		c.RevokedAt = now
	}
	return found
}

func (l *ledger) find(username string) (Credential, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, found := l.byUsername[username]; found {
		return *c, true
	}
	return Credential{}, false
}

func (l *ledger) list(keep func(Credential) bool) []Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	credentials := []Credential{}
	for _, c := range l.order {
		if keep(*c) {
			credentials = append(credentials, *c)
		}
	}
	return credentials
}
