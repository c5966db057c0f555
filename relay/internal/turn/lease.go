package turn

import (
	"context"
	"sync"
	"time"
)

// Lease is the use of credentials by one session. Its methods may be called
// concurrently.
type Lease struct {
	credential *credential
	release    func()
}

func newLease(p *Pool, c *credential) *Lease {
	return &Lease{credential: c, release: sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.closed {
			p.release(c)
		}
	})}
}

// Credentials returns what was leased. It stays the same for the whole lease;
// a session that needs a longer life acquires another one.
func (l *Lease) Credentials() Credentials { return l.credential.Credentials }

// Release ends the use. Further calls do nothing.
func (l *Lease) Release() { l.release() }

// lease counts n more users, and calls off a retirement. p.mu is held.
func (p *Pool) lease(c *credential, n int) {
	c.leases += n
	if c.wanted != nil {
		close(c.wanted)
		c.wanted = nil
	}
}

// release counts one user less. p.mu is held, and p.running is not zero or the
// pool not closed.
func (p *Pool) release(c *credential) {
	c.leases--
	if c.leases == 0 {
		p.idle(c)
	}
}

// idle begins the retirement of a credential without users. p.mu is held.
func (p *Pool) idle(c *credential) {
	wanted := make(chan struct{})
	c.wanted = wanted
	p.running.Go(func() { p.retire(c, wanted) })
}

// retire waits whether somebody wants the credential after all, and revokes it.
func (p *Pool) retire(c *credential, wanted <-chan struct{}) {
	if p.cfg.Linger > 0 {
		linger := time.NewTimer(p.cfg.Linger)
		defer linger.Stop()
		select {
		case <-wanted:
			return
		case <-c.revoked:
		case <-p.closing:
		case <-linger.C:
		}
	}
	if p.forget(c, wanted) {
		p.revoke(c)
	}
}

// forget takes a credential out of the pool unless it has been leased again.
func (p *Pool) forget(c *credential, wanted <-chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.wanted != wanted {
		return false
	}
	p.held--
	if p.newest[c.key] == c {
		delete(p.newest, c.key)
	}
	delete(p.issued, c)
	return true
}

// revoke gives a credential back. What cannot be revoked in time expires.
func (p *Pool) revoke(c *credential) {
	limit := min(revokeTime, time.Until(c.ExpiresAt))
	if limit <= 0 {
		return
	}
	p.background(limit, func(ctx context.Context) {
		for _, username := range c.Usernames() {
			if err := p.cfg.Provider.Revoke(ctx, username); err != nil {
				p.cfg.Log.WarnContext(ctx, "TURN credential not revoked, it will expire",
					"device", c.key.Device, "expires_at", c.ExpiresAt, "error", err)
			}
		}
	})
}
