package turn

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	// maxFailures in a row, and the provider is given a rest.
	maxFailures = 3
	// The first rest is firstRest, each further one twice as long up to
	// longestRest; jitter makes them shorter by up to a half.
	firstRest   = time.Second
	longestRest = 30 * time.Second
)

// BreakerState says what a [Breaker] does with a call.
type BreakerState string

// The states of a breaker.
const (
	BreakerClosed   BreakerState = "closed"    // it asks the provider
	BreakerOpen     BreakerState = "open"      // it gives the provider a rest
	BreakerHalfOpen BreakerState = "half_open" // it has let one call through
)

// Breaker is a [Provider] before one that may fail: it costs one caller a
// time-out that the provider hangs, and not everybody.
//
//	closed ──3 failures in a row, a time-out or a refusal──► open
//	   ▲                                                     │ rest
//	   └──────── an answer ──── half-open: one probe ◄───────┘
//
// While it is open Mint fails at once with [KindResting]. A call that takes
// longer than a caller of the pool waits counts as timed out from then on, but
// goes on; whenever an answer does come the circuit is closed. Revocations pass
// through: nobody waits for them.
type Breaker struct {
	Provider
	log *slog.Logger

	mu       sync.Mutex
	failures int           // guarded by mu; in a row
	rest     time.Duration // guarded by mu; the last one, without jitter; 0 while closed
	until    time.Time     // guarded by mu; the end of the rest
	probing  bool          // guarded by mu
	status   int           // guarded by mu; HTTP status of the last failure
	era      int           // guarded by mu; of calls begun in an earlier one failures are known
	opened   int           // guarded by mu; how often
}

// NewBreaker returns a closed circuit before a provider. The log may be nil.
func NewBreaker(provider Provider, log *slog.Logger) *Breaker {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Breaker{Provider: provider, log: log}
}

// Status returns the state, and how often the provider was given a rest.
func (b *Breaker) Status() (state BreakerState, opened int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.rest == 0:
		return BreakerClosed, b.opened
	case b.probing:
		return BreakerHalfOpen, b.opened
	default:
		return BreakerOpen, b.opened
	}
}

// Mint implements [Provider].
func (b *Breaker) Mint(ctx context.Context, ttl time.Duration, customIdentifier string) (Credentials, error) {
	era, err := b.admit()
	if err != nil {
		return Credentials{}, err
	}
	overdue := time.AfterFunc(waitBudget, func() { b.failed(ctx, era, &Error{Kind: KindTimeout}) })
	defer overdue.Stop()
	credentials, err := b.Provider.Mint(ctx, ttl, customIdentifier)
	if answered(err) {
		b.succeeded(ctx)
	} else {
		b.failed(ctx, era, err)
	}
	return credentials, err
}

// admit lets everybody through while all is well, and one after each rest.
func (b *Breaker) admit() (era int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rest > 0 {
		if b.probing || time.Now().Before(b.until) {
			return 0, &Error{Kind: KindResting, Status: b.status}
		}
		b.probing = true
	}
	return b.era, nil
}

func (b *Breaker) succeeded(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
	if b.rest > 0 {
		b.rest, b.probing = 0, false
		b.era++
		b.log.InfoContext(ctx, "TURN provider answers again")
	}
}

func (b *Breaker) failed(ctx context.Context, era int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case era != b.era:
		return
	case errors.Is(err, context.Canceled): // by the caller: says nothing
		b.probing = false
		return
	}
	b.failures++
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: KindUpstream}
	}
	if b.failures < maxFailures && !b.probing && e.Kind != KindTimeout && e.Kind != KindStatus {
		return
	}
	b.rest = min(max(2*b.rest, firstRest), longestRest)
	pause := b.rest - rand.N(b.rest/2) //nolint:gosec // jitter needs no secrecy
	pause = max(pause, min(e.RetryAfter, longestRest))
	b.until, b.probing, b.status = time.Now().Add(pause), false, e.Status
	b.era++
	b.opened++
	b.log.WarnContext(ctx, "TURN provider fails, it is given a rest", "rest", pause, "error", err)
}

// answered reports whether the provider does its work. To refuse what is wrong
// with a single request is part of it; to refuse our key, or more requests, is
// not.
func answered(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return err == nil
	}
	return e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity
}
