package relay_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

func config(t *testing.T) relay.Config {
	cfg := relay.DefaultConfig()
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.JWTSecret = "a secret of at least 32 characters"
	cfg.DatabaseURL = relay.DatabaseURL(filepath.Join(t.TempDir(), "wimz.db"))
	return cfg
}

// serve runs a relay until the test ends or stops it.
func serve(t *testing.T, cfg relay.Config, log *slog.Logger) (r *relay.Relay, stop func()) {
	t.Helper()
	r, err := relay.New(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// TestRelay runs one with an app and a robot, and stops it: both are told, and
// nothing is left behind.
func TestRelay(t *testing.T) {
	cfg := config(t)
	token := accounts(t, cfg)
	r, stop := serve(t, cfg, slog.New(slog.DiscardHandler))
	robot := connect(t, r, client.Device("robot", "word"))
	app := connect(t, r, client.App(func() string { return token }))
	for m := app.next(t); m.Online == nil || !*m.Online; {
		m = app.next(t)
	}
	if err := app.Send(wire.Message{Type: wire.TypeRequest}); err != nil {
		t.Fatal(err)
	}
	told := app.next(t)
	for told.Type == wire.TypeRobotStatus { // it may have been told twice
		told = app.next(t)
	}
	id := told.SessionID
	if asked := robot.next(t); asked.Type != wire.TypeRequest || asked.SessionID != id {
		t.Errorf("the robot was told %s", asked)
	}
	if stats := r.Stats(); stats["sessions"] != 1 || stats["apps"] != 1 || stats["robots"] != 1 {
		t.Errorf("%v", stats)
	}

	stop()
	for _, p := range []*peer{app, robot} {
		if cause := <-p.down; !strings.Contains(cause.Error(), "1001") {
			t.Errorf("ended with %v", cause)
		}
		if len(p.told) > 0 {
			t.Errorf("told %s: a session outlives the relay", <-p.told)
		}
	}
}

// peer is a client and what it is told.
type peer struct {
	*client.Client
	told chan wire.Message
	down chan error
}

func (p *peer) next(t *testing.T) wire.Message {
	t.Helper()
	select {
	case m := <-p.told:
		return m
	case <-time.After(patience):
		t.Fatal("nothing was said")
		return wire.Message{}
	}
}

func connect(t *testing.T, r *relay.Relay, as client.Identity) *peer {
	t.Helper()
	p := &peer{told: make(chan wire.Message, 64), down: make(chan error, 64)}
	var err error
	p.Client, err = client.New(client.Config{
		URL: "http://" + r.Addr(), Identity: as, Log: slog.New(slog.DiscardHandler),
		OnDown:    func(err error) { p.down <- err },
		OnMessage: func(m wire.Message) { p.told <- m },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		_ = p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	return p
}

// accounts makes a user who owns a robot, as the command line beside a relay
// does, and returns a token.
func accounts(t *testing.T, cfg relay.Config) string {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	user := store.NewUser("ann@example.com", "hash", time.Now())
	robot := store.Device{ID: "robot", Secret: "word", Owner: user.ID, CreatedAt: time.Now()}
	for _, err := range []error{db.CreateUser(t.Context(), user), db.CreateDevice(t.Context(), robot), db.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	token, _ := auth.NewTokens(cfg.JWTSecret, time.Hour, time.Now).Issue(user)
	return token
}

// TestNewRefuses what cannot work, and leaves nothing open.
func TestNewRefuses(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, change := range map[string]func(*relay.Config){
		"no secret":         func(c *relay.Config) { c.JWTSecret = "" },
		"no such directory": func(c *relay.Config) { c.DatabaseURL += "/no/wimz.db" },
		"address in use":    func(c *relay.Config) { c.Listen = taken.Addr().String() },
		"admin address too": func(c *relay.Config) { c.AdminListen = taken.Addr().String() },
	} {
		cfg := config(t)
		change(&cfg)
		if _, err := relay.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
