package turn

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

// ErrPoolClosed is returned once a pool has been closed.
var ErrPoolClosed = errors.New("the TURN credential pool is closed")

const (
	// waitBudget is how long a person's request is held up for credentials before
	// it goes on without new ones.
	waitBudget = 500 * time.Millisecond
	// minLife is what a cached credential must have left to stand in for one that
	// could not be minted.
	minLife = time.Minute
	// revokeTime bounds revoking one credential, all attempts included.
	revokeTime = 30 * time.Second
)

// Key says whose credentials they are: sessions of the same user with the same
// robot share them, nobody else does. Device is empty where no robot is meant.
type Key struct {
	User   string
	Device wire.DeviceID
}

// PoolConfig configures a [Pool]. Zero durations stand for the defaults named.
type PoolConfig struct {
	// Provider issues the credentials; [None] if nil.
	Provider Provider
	// IdentifierKey keys the pseudonyms that go to the provider. Required: with
	// a known key, a pseudonym could be tried for every user there is.
	IdentifierKey []byte
	// TTL is the life asked for; [DefaultTTL] by default.
	TTL time.Duration
	// Linger is how long a credential nobody uses is kept for the next one;
	// revoked at once if zero.
	Linger time.Duration
	// MintTimeout bounds minting, retry included, which goes on when nobody
	// waits any more; 8 s by default.
	MintTimeout time.Duration
	// Log may be nil.
	Log *slog.Logger
}

// Pool hands out shared credentials and gives them back to the provider. Its
// methods may be called concurrently.
type Pool struct {
	cfg     PoolConfig
	closing chan struct{}  // closed by Close: lingering ends
	running sync.WaitGroup // background work, and callers inside Acquire
	// background runs work with a context that outlives any caller; abort ends
	// all of them, when Close has run out of time.
	background func(limit time.Duration, work func(context.Context))
	abort      context.CancelFunc

	mu      sync.Mutex
	closed  bool                // guarded by mu
	newest  map[Key]*credential // guarded by mu; the one new sessions get
	minting map[Key]*mint       // guarded by mu; at most one per key
	held    int                 // guarded by mu; credentials in use or lingering
	// issued is what a revocation has to look at: all that is in use or lingers,
	// and what has been minted for others. Guarded by mu.
	issued map[*credential]struct{}
}

// credential is a minted one that can be used.
type credential struct {
	Credentials

	key     Key
	revoked chan struct{} // closed when nobody may be given it any more
	leases  int           // guarded by Pool.mu
	wanted  chan struct{} // guarded by Pool.mu; closed when a lingering one is leased again
}

// isRevoked reports whether nobody may be given it any more.
func (c *credential) isRevoked() bool {
	select {
	case <-c.revoked:
		return true
	default:
		return false
	}
}

// NewPool returns an empty pool. Close it: the end of ctx does not end it.
func NewPool(ctx context.Context, cfg PoolConfig) (*Pool, error) {
	if len(cfg.IdentifierKey) == 0 {
		return nil, errors.New("turn: an identifier key is required")
	}
	if cfg.Provider == nil {
		cfg.Provider = None{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Provider = patient{cfg.Provider}
	cfg.TTL = cmp.Or(cfg.TTL, DefaultTTL)
	cfg.MintTimeout = cmp.Or(cfg.MintTimeout, 8*time.Second)
	ctx, abort := context.WithCancel(context.WithoutCancel(ctx))
	return &Pool{
		cfg:     cfg,
		closing: make(chan struct{}),
		background: func(limit time.Duration, work func(context.Context)) {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			work(limited)
		},
		abort:   abort,
		newest:  make(map[Key]*credential),
		minting: make(map[Key]*mint),
		issued:  make(map[*credential]struct{}),
	}, nil
}

// Acquire leases credentials for a session: those the key has while more than
// half of their life is left, else new ones. Callers of one key share one call
// to the provider, which goes on when a caller leaves or has waited for half a
// second. If the provider fails or is late, older credentials stand in as long as
// they live a minute longer. Errors are [*Error], [ErrPoolClosed] or the cause of
// the context.
func (p *Pool) Acquire(ctx context.Context, key Key) (*Lease, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrPoolClosed
	}
	p.running.Add(1)
	defer p.running.Done()
	if c := p.newest[key]; c != nil && c.lastsAt(time.Now(), c.life()/2) {
		p.lease(c, 1)
		p.mu.Unlock()
		return newLease(p, c), nil
	}
	m := p.minting[key]
	if m == nil {
		m = p.startMint(key)
	}
	m.waiters++
	p.mu.Unlock()

	budget := time.NewTimer(waitBudget)
	defer budget.Stop()
	select {
	case <-m.done:
		return p.handOut(m)
	case <-budget.C:
		return p.overdue(m)
	case <-ctx.Done():
		p.leave(m)
		return nil, context.Cause(ctx)
	case <-p.closing:
		p.leave(m)
		return nil, ErrPoolClosed
	}
}

// Held returns the number of credentials that are in use or linger.
func (p *Pool) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// Mint issues credentials of their own, not shared: for those who ask for a ttl
// and do with them what the relay does not see. They live until they expire or
// Revoke ends them.
func (p *Pool) Mint(ctx context.Context, key Key, ttl time.Duration) (Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.MintTimeout)
	defer cancel()
	minted, err := p.cfg.Provider.Mint(ctx, ttl, identifier(p.cfg.IdentifierKey, key))
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.keep(minted, key)
	}
	return minted, err
}

// Close revokes the credentials nobody uses and waits for all background work,
// until the context ends: then what is under way is broken off, and the cause
// returned. Credentials still leased are left to expire by themselves, so that
// media of sessions that outlive the relay flows on; releasing them afterwards
// does nothing.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	p.mu.Unlock()
	defer p.abort()
	stop := context.AfterFunc(ctx, p.abort)
	p.running.Wait()
	if !stop() {
		return context.Cause(ctx)
	}
	return nil
}
