package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/apispec/apicheck"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/httpapi"
	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/metrics"
	"wimz.dev/live/relay/internal/revoke"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test waits for what must happen.
const patience = 10 * time.Second

const (
	jwtSecret    = "secret-of-the-tokens-0123456789abcdef"
	deviceSecret = "secret-of-the-robot-0123456789abcdef"
	ourPage      = "https://app.example.com"
)

// provider issues credentials, or fails, and remembers the last life asked for.
type provider struct {
	mu  sync.Mutex
	err error
	ttl time.Duration
}

func (p *provider) Mint(_ context.Context, ttl time.Duration, _ string) (turn.Credentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ttl = ttl
	return turn.Credentials{
		ICEServers: wire.ICEServers{Servers: []wire.ICEServer{{
			URLs: wire.URLs{"turn:t.example:3478"}, Username: "secret-username", Credential: "secret-credential",
		}}},
		ExpiresAt: time.Now().Add(ttl),
	}, p.err
}

func (p *provider) Revoke(context.Context, string) error { return nil }

func (p *provider) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// lockedBuffer is a log that is read while others write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// options are what a test may want to be different.
type options struct {
	http   httpapi.Config
	bus    bus.Bus
	tokens *auth.Tokens // for the upgrade
}

// world is a relay without its wiring, behind a real HTTP server.
type world struct {
	testing.TB
	store  *sqlstore.DB
	tokens *auth.Tokens
	// tokensOfUpgrade verify what sockets are opened with.
	tokensOfUpgrade *auth.Tokens
	provider        *provider
	sessions        *session.Service
	hub             *hub.Hub
	revoked         *revoke.Follower
	api             *httpapi.API
	server          *httptest.Server
	client          *http.Client
	check           *apicheck.Checker
	closing         context.CancelFunc
	metrics         *metrics.Metrics
	log             *lockedBuffer
	users           int
	codes           []string // of pairings; secret
}

// checker is shared: reading the documents takes longer than most tests.
var checker = sync.OnceValues(apicheck.New)

func newWorld(t testing.TB, changes ...func(*options)) *world {
	t.Helper()
	w := &world{TB: t, provider: &provider{}, log: &lockedBuffer{}, client: &http.Client{Timeout: patience}, metrics: metrics.New("test")}
	var err error
	if w.check, err = checker(); err != nil {
		t.Fatal(err)
	}
	if w.store, err = sqlstore.Open(t.Context(), config.MemoryDatabase); err != nil {
		t.Fatal(err)
	}
	pool, err := turn.NewPool(t.Context(), turn.PoolConfig{Provider: w.provider, IdentifierKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	closing, stopSockets := context.WithCancel(context.Background())
	living, stopSessions := context.WithCancel(context.Background())
	w.tokens = auth.NewTokens(jwtSecret, time.Hour, time.Now)
	w.closing = stopSockets
	o := options{bus: bus.NewMemory(), tokens: w.tokens, http: httpapi.Config{
		Limits:   config.Default().Limits,
		Store:    w.store,
		Accounts: auth.NewAccounts(w.store, auth.NewPasswords(2, 64), time.Now),
		Devices:  auth.NewDevices(w.store, true, time.Now),
		TURN:     pool, PairingCodeTTL: 10 * time.Minute, AllowedOrigins: []string{ourPage},
		Meter: w.metrics.Requests, Closing: closing, Log: log,
		Stats: func() map[string]int {
			return map[string]int{"sessions": w.sessions.Count(), "apps": w.hub.Apps(), "robots": w.hub.Robots(), "goroutines": 1}
		},
	}}
	for _, change := range changes {
		change(&o)
	}
	limits := o.http.Limits.Quotas
	w.sessions = session.NewService(living, session.Config{
		Bus: o.bus, Owners: w.store, Credentials: pool, FallbackSTUN: []string{"stun:s"}, Grace: time.Minute, Limits: limits, Meter: w.metrics.Sessions, Log: log,
	})
	w.hub = hub.New(hub.Config{
		Bus: o.bus, Sessions: w.sessions, Owners: w.store, Devices: w.store, Guard: auth.NewGuard(w.tokens, w.store),
		Limits: limits, Meter: w.metrics.Sockets, Log: log,
	})
	w.revoked = revoke.New(0, revoke.Config{Log: w.store, Sessions: w.sessions, Sockets: w.hub, Credentials: pool, Logger: log})
	var following sync.WaitGroup
	following.Go(func() { w.revoked.Run(living) })
	o.http.Tokens, o.http.Bus, o.http.Hub = o.tokens, o.bus, w.hub
	if o.http.Revoked == nil {
		o.http.Revoked = w.revoked.Poke
	}
	if o.http.Guard == nil {
		o.http.Guard = auth.NewGuard(o.tokens, w.store)
	}
	w.api = httpapi.New(o.http)
	w.tokensOfUpgrade = o.tokens
	w.server = httptest.NewServer(w.api)
	t.Cleanup(func() {
		stopSessions()
		following.Wait()
		stopSockets()
		w.client.CloseIdleConnections()
		w.server.Close()
		w.api.Wait()
		w.sessions.Wait()
		if err := pool.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = w.store.Close()
		w.secretsAreSafe()
	})
	return w
}

// secretsAreSafe looks for secrets in everything that was logged.
func (w *world) secretsAreSafe() {
	for _, secret := range append(w.codes, "secret-", "eyJ", wire.Sign(deviceSecret, "robot", time.Time{})) {
		if at := strings.Index(w.log.String(), secret); at >= 0 {
			w.Errorf("the log has a secret: %.80s", w.log.String()[max(0, at-40):])
		}
	}
}

// cheapHash is the hash of 12345678, with little work.
const cheapHash = "$argon2id$v=19$m=64,t=1,p=1$W/o2RU0aMBAo25/qYCTM+Q$r+uYynv+KTmnazKFKEGuKHsLWy8eZyiKygV/4DkRG4Y"

// user returns a new account and a token for it.
func (w *world) user() (store.User, string) {
	w.Helper()
	w.users++
	u := store.NewUser(fmt.Sprintf("user%d@example.com", w.users), cheapHash, time.Now())
	if err := w.store.CreateUser(w.Context(), u); err != nil {
		w.Fatal(err)
	}
	token, _ := w.tokens.Issue(u)
	return u, token
}

// device makes a robot known.
func (w *world) device(id wire.DeviceID, owner store.User) {
	w.Helper()
	err := w.store.CreateDevice(w.Context(), store.Device{
		ID: id, Secret: deviceSecret, Owner: owner.ID, CreatedAt: time.Now(),
	})
	if err != nil {
		w.Fatal(err)
	}
}

// eventually waits for a condition that another goroutine brings about.
func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(patience); !is(); {
		select {
		case <-ticker.C:
		case <-deadline:
			w.Fatalf("never: %s", what)
		}
	}
}
