package session

import (
	"sync"
	"time"

	"wimz.dev/live/relay/internal/turn"
)

// retryRenewal is the pause after credentials could not be had: at their renewal,
// or at the start of a session, which then is without TURN until they come.
const retryRenewal = 2 * time.Second

// loans are the TURN credentials a session has borrowed: the newest, and the
// one before, which media may still use while ICE restarts with the newest. The
// session's goroutine owns it all.
type loans struct {
	newest, before *turn.Lease
	renewal        *time.Timer      // when the newest has lived 80 % of its life
	arrived        chan *turn.Lease // what was fetched; nil if there was none
	fetching       sync.WaitGroup
	underway       bool // a fetch, whose result was not taken in yet
}

func newLoans() loans {
	renewal := time.NewTimer(time.Hour)
	renewal.Stop()
	return loans{renewal: renewal, arrived: make(chan *turn.Lease, 1)}
}

// due fires when other credentials should be fetched.
func (l *loans) due() <-chan time.Time { return l.renewal.C }

// inherit sets the time of the next renewal for credentials that somebody else
// has borrowed: the parties have them, and nobody else knows them any more.
func (l *loans) inherit(until time.Time) {
	inherited := turn.Credentials{IssuedAt: time.Now(), ExpiresAt: until}
	if at := inherited.RenewAt(); !at.IsZero() {
		l.renewal.Reset(max(time.Until(at), 0))
	}
}

// fetch calls borrow in a goroutine of its own and hands the result to arrived,
// unless it is at it already.
func (l *loans) fetch(borrow func() *turn.Lease) {
	if !l.underway {
		l.underway = true
		l.fetching.Go(func() { l.arrived <- borrow() })
	}
}

// add takes a borrowed lease in, nil if there was none, and sets the time when
// others are fetched. It
// reports whether the credentials are other ones than before: a provider that
// is down may lend the same again.
func (l *loans) add(lease *turn.Lease) (other bool) {
	l.underway = false
	if lease == nil {
		l.renewal.Reset(retryRenewal)
		return false
	}
	if l.newest != nil && l.newest.Credentials().ExpiresAt.Equal(lease.Credentials().ExpiresAt) {
		lease.Release() // the same credentials
		l.renewal.Reset(retryRenewal)
		return false
	}
	if l.before != nil {
		l.before.Release()
	}
	l.before, l.newest = l.newest, lease
	if at := lease.Credentials().RenewAt(); !at.IsZero() {
		l.renewal.Reset(max(time.Until(at), 0))
	}
	return true
}

// end waits for what is being fetched and, if wanted, gives everything back.
func (l *loans) end(giveBack bool) {
	l.renewal.Stop()
	l.fetching.Wait()
	late := (*turn.Lease)(nil)
	select {
	case late = <-l.arrived:
	default:
	}
	for _, lease := range []*turn.Lease{l.newest, l.before, late} {
		if lease != nil && giveBack {
			lease.Release()
		}
	}
}
