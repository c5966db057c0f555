// Package client is the other end of the relay's sockets: it dials,
// authenticates, keeps the connection alive and dials again when it is lost.
// Robot and app both use it.
//
// A [Client] has one goroutine that reads (the caller of [Client.Run]) and one
// that writes; both have ended when Run returns.
package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// Errors of [Client.Run] and [Client.Send].
var (
	// ErrOffline is returned by Send while there is no connection.
	ErrOffline = errors.New("not connected to the relay")
	// ErrUnauthorized ends an app's Run: its token is bad or has expired.
	ErrUnauthorized = errors.New("the relay refused the credentials")
	// ErrMoved is the end of a connection whose local address is no longer one
	// of this machine's: it has changed networks.
	ErrMoved = errors.New("this machine has another address now")
	// ErrSuperseded ends an app's Run: it was taken over elsewhere.
	ErrSuperseded = errors.New("taken over by another connection")
)

// maxPause bounds how long a relay may send its clients away.
const maxPause = 5 * time.Minute

// Config is what a [Client] needs to know. It is not changed after [New].
type Config struct {
	// URL is the relay's address: ws, wss, http or https, host and port. A
	// path other than / is kept; else the identity's own is appended.
	URL string
	// Identity says who connects: [App] or [Device].
	Identity Identity
	// OnUp is called after each successful connect, before any message.
	OnUp func()
	// OnMessage is called with every message, one at a time, from the reading
	// goroutine: it must not block. Heartbeats do not reach it.
	OnMessage func(wire.Message)
	// OnDown is called when a connection has ended, with the cause, and after
	// an attempt that did not succeed.
	OnDown func(error)
	// Delay is the base of the back-off between attempts, MaxDelay its cap.
	// Zero means 1 s and 25 s: whoever was away for hours is back half a minute
	// after the relay.
	Delay, MaxDelay time.Duration
	Log             *slog.Logger
}

// Client is a connection to the relay that heals. Its methods may be called
// from any goroutine.
type Client struct {
	cfg   Config
	url   string
	clock clock // Run's

	mu   sync.Mutex
	link *link // nil while offline
}

// New checks the configuration. It does not connect; [Client.Run] does.
func New(cfg Config) (*Client, error) {
	url, err := endpoint(cfg.URL, cfg.Identity.path)
	if err != nil {
		return nil, err
	}
	if cfg.Delay <= 0 {
		cfg.Delay = time.Second
	}
	if cfg.MaxDelay <= 0 {
		cfg.MaxDelay = 25 * time.Second
	}
	cfg.MaxDelay = max(cfg.Delay, cfg.MaxDelay)
	return &Client{cfg: cfg, url: url}, nil
}

// Run connects, and connects again whenever the connection is lost, until ctx
// ends; it then says goodbye and returns nil. A robot never gives up; an app
// does when its login has ended, with [ErrUnauthorized] or [ErrSuperseded].
func (c *Client) Run(ctx context.Context) error {
	for failures := 0; ; {
		up, err := c.connect(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a requested end is no error
		}
		if c.cfg.OnDown != nil {
			c.cfg.OnDown(err)
		}
		if c.cfg.Identity.party == wire.App && (errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrSuperseded)) {
			return err
		}
		failures++
		if up {
			failures = 0
		}
		wait := c.backoff(failures, err)
		c.cfg.Log.WarnContext(ctx, "relay connection lost", "error", err, "retry_in", wait.Round(time.Millisecond))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// Send queues a message. It returns [ErrOffline] when there is no connection,
// or when the queue is full: the connection is then given up, because a message
// that is silently lost is worse than a reconnect.
func (c *Client) Send(m wire.Message) error {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l == nil || !l.Send(wire.Encode(m)) {
		return fmt.Errorf("send %s: %w", m.Type, ErrOffline)
	}
	return nil
}

// connect holds one connection from dial to end. It reports whether the
// connection was ever up.
func (c *Client) connect(ctx context.Context) (up bool, err error) {
	conn, err := dial(ctx, c.url, c.cfg.Identity, &c.clock)
	if err != nil {
		return false, err
	}
	l := &link{Conn: ws.New(conn, ws.Limits{Frame: wire.MaxFrame}), local: conn.LocalAddr(), onMessage: c.cfg.OnMessage}
	c.setLink(l)
	defer c.setLink(nil)
	c.cfg.Log.InfoContext(ctx, "connected to the relay")
	return true, l.run(ctx, c.cfg.OnUp)
}

func (c *Client) setLink(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
}

// backoff is exponential with full jitter, so that a fleet that lost its relay
// does not come back as one. A relay that said when to return is believed; one
// that has a newer connection of this device is left alone for a while. Who has
// changed networks comes back at once.
func (c *Client) backoff(failures int, cause error) time.Duration {
	if last := (*ended)(nil); errors.As(cause, &last) {
		if last.retryAfter > 0 {
			return min(last.retryAfter, maxPause) + rand.N(c.cfg.Delay) //nolint:gosec // jitter needs no secrecy
		}
		if last.code() == wire.CloseReplaced {
			return c.cfg.MaxDelay
		}
		if errors.Is(last, ErrMoved) {
			return 0
		}
	}
	limit := c.cfg.MaxDelay
	if failures < 16 {
		limit = min(limit, c.cfg.Delay<<failures)
	}
	return rand.N(limit) //nolint:gosec // jitter needs no secrecy
}
