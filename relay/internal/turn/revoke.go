package turn

import (
	"time"

	"wimz.dev/live/relay/wire"
)

// maxIssued bounds how many credentials a pool knows, in use or minted for others:
// about 1 KiB each. Revoke does not find those that come when there are more.
const maxIssued = 20_000

// Revoke takes credentials from a user who has lost the right to them: those for
// one robot, or, if device is empty, all of theirs, those from Mint included.
// Nobody is given them any more, and they are revoked at the provider without
// lingering: at once if no session uses them, else with the last one's release.
// It does not wait for the provider.
func (p *Pool) Revoke(user string, device wire.DeviceID) {
	meant := func(key Key) bool {
		return key.User == user && (device == "" || key.Device == device)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return // Close has begun to give back what is not in use
	}
	for key, m := range p.minting {
		if meant(key) {
			m.revoked = true
			delete(p.minting, key)
		}
	}
	for c := range p.issued {
		if !meant(c.key) || c.isRevoked() {
			continue
		}
		close(c.revoked)
		if p.newest[c.key] == c {
			delete(p.newest, c.key)
		}
		if c.leases == 0 && c.wanted == nil { // one from Mint
			p.held++ // until it has been given back
			p.idle(c)
		}
	}
}

// keep takes a minted credential in, so that Revoke finds it. p.mu is held.
func (p *Pool) keep(minted Credentials, key Key) *credential {
	c := &credential{Credentials: minted, key: key, revoked: make(chan struct{})}
	if len(p.issued) >= maxIssued {
		p.forgetExpired(time.Now())
	}
	if len(p.issued) < maxIssued {
		p.issued[c] = struct{}{}
	}
	return c
}

// forgetExpired makes room. p.mu is held.
func (p *Pool) forgetExpired(now time.Time) {
	for c := range p.issued {
		if !c.lastsAt(now, 0) {
			delete(p.issued, c)
		}
	}
}
