package session

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// owners is who owns what.
type owners map[store.UserID][]wire.DeviceID

func (o owners) DevicesOf(_ context.Context, user store.UserID) ([]wire.DeviceID, error) {
	if user == "unlucky" {
		return nil, fmt.Errorf("disk on fire")
	}
	return o[user], nil
}

func (o owners) Entitled(ctx context.Context, user store.UserID, robot wire.DeviceID) (bool, error) {
	all, err := o.DevicesOf(ctx, user)
	return slices.Contains(all, robot), err
}

// provider issues credentials that count themselves. Its minting can be held
// up, and can fail.
type provider struct {
	mu      sync.Mutex
	minted  int
	revoked []string
	err     error
	hold    chan struct{} // minting waits until it is closed; nil: it does not
}

func (p *provider) Mint(ctx context.Context, ttl time.Duration, _ string) (turn.Credentials, error) {
	p.mu.Lock()
	hold := p.hold
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return turn.Credentials{}, &turn.Error{Kind: turn.KindTimeout}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return turn.Credentials{}, p.err
	}
	p.minted++
	return turn.Credentials{
		ICEServers: wire.ICEServers{Servers: []wire.ICEServer{{
			URLs: wire.URLs{"turn:t.example:3478"}, Username: fmt.Sprintf("name-%d", p.minted), Credential: "word",
		}}},
		IssuedAt:  time.Now(),
		ExpiresAt: time.Now().Add(ttl),
	}, nil
}

func (p *provider) Revoke(_ context.Context, username string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, username)
	return nil
}

// become changes the provider while it is in use.
func (p *provider) become(err error, hold chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.hold = err, hold
}

func (p *provider) counts() (minted, revoked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.minted, len(p.revoked)
}

// journal is everything that was said to anybody, in its order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// countingBus knows how many topics are joined.
type countingBus struct {
	*bus.Memory
	joined atomic.Int64
}

func (b *countingBus) Join(topic string, deliver bus.Deliver) (leave func()) {
	b.joined.Add(1)
	end := b.Memory.Join(topic, deliver)
	return sync.OnceFunc(func() {
		end()
		b.joined.Add(-1)
	})
}

// world is a service with everything around it, in a bubble of its own time.
type world struct {
	*testing.T
	bus      *countingBus
	cfg      Config
	service  *Service
	provider *provider
	pool     *turn.Pool
	stop     context.CancelFunc
	journal  journal
	sessions []wire.SessionID               // in the order in which they were told to anybody
	tickets  map[wire.SessionID]wire.Ticket // the newest ones
}

// inWorld runs a test in a world and afterwards looks for what was left behind.
func inWorld(t *testing.T, change func(*Config, *provider), test func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			T: t, bus: &countingBus{Memory: bus.NewMemory()}, provider: &provider{},
			tickets: map[wire.SessionID]wire.Ticket{},
		}
		pool := newPool(t, w.provider)
		cfg := Config{
			Bus: w.bus, Owners: owners{"owner": {"robot"}, "rich": {"robot", "robot-2"}, "stranger": {}},
			Credentials: pool, FallbackSTUN: []string{"stun:s"}, Grace: grace,
			TicketKeys: [][]byte{[]byte("key")}, Log: slog.New(slog.DiscardHandler),
		}
		if change != nil {
			change(&cfg, w.provider)
		}
		ctx, stop := context.WithCancel(t.Context())
		w.cfg, w.pool, w.stop, w.service = cfg, pool, stop, NewService(ctx, cfg)
		test(w)
		synctest.Wait()
		w.cleanUp()
	})
}

func newPool(t *testing.T, p turn.Provider) *turn.Pool {
	t.Helper()
	pool, err := turn.NewPool(t.Context(), turn.PoolConfig{
		Provider: p, IdentifierKey: []byte("k"), MintTimeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// cleanUp ends the service. A test that ends with sessions ends them with it.
func (w *world) cleanUp() {
	w.stop()
	w.service.Wait()
	if n := w.service.Count(); n != 0 {
		w.Errorf("%d sessions are left", n)
	}
	if n := len(w.service.users) + len(w.service.robots); n != 0 {
		w.Errorf("%d users and robots are counted still", n)
	}
	if n := w.bus.joined.Load(); n != 0 {
		w.Errorf("%d topics are joined still", n)
	}
	if err := w.pool.Close(w.Context()); err != nil {
		w.Error(err)
	}
}

// released checks that the sessions have ended by themselves and given
// everything back.
func (w *world) released() {
	w.Helper()
	w.service.Wait()
	synctest.Wait()
	minted, revoked := w.provider.counts()
	if n := w.service.Count(); n != 0 || minted != revoked {
		w.Errorf("%d sessions are left, %d of %d credentials", n, minted-revoked, minted)
	}
}

// connect gives somebody a socket.
func (w *world) connect(s bus.Sender) (release func() bool) {
	address, name := bus.AppAddress(s.Peer), string(s.Peer)
	if s.Party == wire.Robot {
		address, name = bus.RobotAddress(s.Device), string(s.Device)
	}
	return w.bus.Claim(address, func(_ context.Context, e bus.Envelope) error {
		m := e.Message
		line := name + ":" + string(m.Type)
		if detail := string(m.Code) + string(m.Reason) + m.Degraded; detail != "" {
			line += "/" + detail
		}
		w.journal.add(line + w.number(m.SessionID))
		if m.Ticket != "" {
			w.keep(m.SessionID, m.Ticket)
		}
		return nil
	}, nil)
}

// keep notes the ticket that a party was given.
func (w *world) keep(id wire.SessionID, ticket wire.Ticket) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	w.tickets[id] = ticket
}

// number names a session by the order in which it was first heard of.
func (w *world) number(id wire.SessionID) string {
	if id == "" {
		return ""
	}
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	at := slices.Index(w.sessions, id)
	if at < 0 {
		at = len(w.sessions)
		w.sessions = append(w.sessions, id)
	}
	return fmt.Sprintf("#%d", at+1)
}

// announce says that a socket is lost or back.
func (w *world) announce(kind bus.Kind, s bus.Sender) {
	address := bus.AppAddress(s.Peer)
	if s.Party == wire.Robot {
		address = bus.RobotAddress(s.Device)
	}
	w.bus.Publish(w.Context(), bus.PresenceTopic(address), bus.Envelope{Kind: kind, From: s})
}

// say takes a message to the newest session.
func (w *world) say(s bus.Sender, m wire.Message) error {
	synctest.Wait()
	w.journal.mu.Lock()
	newest := w.sessions[len(w.sessions)-1]
	w.journal.mu.Unlock()
	m.SessionID = newest
	for i := range m.Sessions {
		m.Sessions[i].SessionID = newest
	}
	return w.bus.Send(w.Context(), bus.SessionAddress(newest), bus.Envelope{From: s, Message: m})
}

// said checks what has been said since the last time.
func (w *world) said(want ...string) {
	w.Helper()
	synctest.Wait()
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	if !slices.Equal(w.journal.lines, want) {
		w.Fatalf("said\n\t%s\nwant\n\t%s", strings.Join(w.journal.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
	w.journal.lines = nil
}

func (w *world) request(s bus.Sender, device wire.DeviceID) {
	w.service.Request(w.Context(), s, device)
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the time of the bubble: nobody waits
	synctest.Wait()
}
