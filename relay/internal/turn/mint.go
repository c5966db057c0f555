package turn

import (
	"context"
	"errors"
	"time"
)

// mint is one call to the provider, and those who wait for it.
type mint struct {
	old     *credential   // what there was before, if anything; leased while the call lasts
	waiters int           // guarded by Pool.mu
	ended   bool          // guarded by Pool.mu
	revoked bool          // guarded by Pool.mu; its waiters are the last to get it
	done    chan struct{} // closed after the fields below are set
	result  *credential   // leased once for each waiter
	err     error
}

// startMint calls the provider in the background. The lease on what there is
// keeps it from being revoked while it may have to stand in. p.mu is held.
func (p *Pool) startMint(key Key) *mint {
	m := &mint{done: make(chan struct{}), old: p.newest[key]}
	p.minting[key] = m
	if m.old != nil {
		p.lease(m.old, 1)
	}
	p.running.Go(func() { p.runMint(key, m) })
	return m
}

func (p *Pool) runMint(key Key, m *mint) {
	var (
		minted Credentials
		err    error
	)
	p.background(p.cfg.MintTimeout, func(ctx context.Context) {
		minted, err = p.cfg.Provider.Mint(ctx, p.cfg.TTL, identifier(p.cfg.IdentifierKey, key))
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		m.result = p.keep(minted, key)
		p.held++
		if m.revoked {
			close(m.result.revoked)
		} else {
			p.newest[key] = m.result
		}
	case p.canStandIn(m.old):
		p.logFailure("TURN provider failed, older credentials stand in", key, err)
		m.result = m.old
	default:
		p.logFailure("TURN provider failed", key, err)
		m.err = err
	}
	if !m.revoked {
		delete(p.minting, key)
	}
	m.ended = true
	if m.result != nil {
		p.lease(m.result, m.waiters+1)
		p.release(m.result) // retires it if everybody has left
	}
	if m.old != nil {
		p.release(m.old)
	}
	close(m.done)
}

// canStandIn reports whether older credentials may and are worth to be handed out.
func (p *Pool) canStandIn(old *credential) bool {
	return old != nil && !old.isRevoked() && old.lastsAt(time.Now(), minLife)
}

// logFailure is quiet about a provider that was not even asked: that it fails
// has been said.
func (p *Pool) logFailure(message string, key Key, err error) {
	log := p.cfg.Log.Warn
	var e *Error
	if errors.As(err, &e) && e.Kind == KindResting {
		log = p.cfg.Log.Debug
	}
	log(message, "device", key.Device, "error", err)
}

// overdue ends the wait of a caller whose budget is used up: with what has come
// in this very moment, else with older credentials, else with an error. The
// mint goes on, and what it brings is kept for whoever comes next.
func (p *Pool) overdue(m *mint) (*Lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.ended:
		return p.handOut(m)
	case p.canStandIn(m.old):
		m.waiters--
		p.lease(m.old, 1)
		return newLease(p, m.old), nil
	default:
		m.waiters--
		return nil, &Error{Kind: KindTimeout}
	}
}

// handOut gives a waiter its part of a mint that has ended.
func (p *Pool) handOut(m *mint) (*Lease, error) {
	if m.err != nil {
		return nil, m.err
	}
	return newLease(p, m.result), nil
}

// leave gives up waiting for a mint, or what it has brought in the meantime.
func (p *Pool) leave(m *mint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !m.ended:
		m.waiters--
	case m.result != nil:
		p.release(m.result)
	}
}
