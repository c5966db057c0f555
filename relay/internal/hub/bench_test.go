package hub_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/httpapi"
	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/metrics"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is an app, a robot, and everything of the relay between them, with
// real sockets of the loopback interface.
type bench struct {
	testing.TB
	app, robot *end
}

// end is one of the two and what it is told.
type end struct {
	*client.Client
	told chan wire.Message
}

// meters are the figures of hub and sessions, or none.
type meters struct {
	hub      hub.Meter
	sessions session.Meter
}

func measured() meters {
	m := metrics.New("test")
	return meters{m.Sockets, m.Sessions}
}

func newBench(b testing.TB, m meters) *bench {
	b.Helper()
	db, err := sqlstore.Open(b.Context(), config.MemoryDatabase)
	if err != nil {
		b.Fatal(err)
	}
	user := store.NewUser("ann@example.com", "hash", time.Now())
	robot := store.Device{ID: "robot", Secret: "word", Owner: user.ID, CreatedAt: time.Now()}
	pool, err := turn.NewPool(b.Context(), turn.PoolConfig{Provider: turn.None{}, IdentifierKey: []byte("k")})
	for _, err := range []error{err, db.CreateUser(b.Context(), user), db.CreateDevice(b.Context(), robot)} {
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	log, messages := slog.New(slog.DiscardHandler), bus.NewMemory()
	tokens := auth.NewTokens("a secret of at least 32 characters", time.Hour, time.Now)
	guard := auth.NewGuard(tokens, db)
	sessions := session.NewService(ctx, session.Config{
		Bus: messages, Owners: db, Credentials: pool, FallbackSTUN: []string{"stun:s"}, Grace: time.Minute, Meter: m.sessions, Log: log,
	})
	sockets := hub.New(hub.Config{Bus: messages, Sessions: sessions, Owners: db, Devices: db, Guard: guard, Meter: m.hub, Log: log})
	api := httpapi.New(httpapi.Config{
		Store: db, Tokens: tokens, Guard: guard, Devices: auth.NewDevices(db, true, time.Now),
		Bus: messages, Hub: sockets, Limits: config.Limits{Bounds: config.Default().Bounds}, Closing: ctx, Log: log,
		Meter: metrics.New("test").Requests,
	})
	server := httptest.NewServer(api)
	b.Cleanup(func() {
		cancel()
		server.Close()
		api.Wait()
		sessions.Wait()
		_ = pool.Close(context.Background())
		_ = db.Close()
	})
	token, _ := tokens.Issue(user)
	bench := &bench{TB: b}
	bench.robot = connect(b, server.URL, client.Device("robot", "word"))
	bench.app = connect(b, server.URL, client.App(func() string { return token }))
	for m := <-bench.app.told; !*m.Online; { // at first there are only robot_status
		m = <-bench.app.told
	}
	return bench
}

// connect runs a client until the benchmark ends.
func connect(b testing.TB, url string, as client.Identity) *end {
	b.Helper()
	e := &end{told: make(chan wire.Message, 256)}
	var err error
	e.Client, err = client.New(client.Config{
		URL: url, Identity: as, Log: slog.New(slog.DiscardHandler),
		OnMessage: func(m wire.Message) { e.told <- m },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return e
}

func (e *end) says(b testing.TB, m wire.Message) {
	b.Helper()
	if err := e.Send(m); err != nil {
		b.Fatal(err)
	}
}

// hears waits for a message of a type. That the robot is there may be told
// twice.
func (e *end) hears(b testing.TB, kind wire.Type) wire.Message {
	b.Helper()
	select {
	case m := <-e.told:
		if m.Type == wire.TypeRobotStatus {
			return e.hears(b, kind)
		}
		if m.Type != kind {
			b.Fatalf("told %s, want %s", m, kind)
		}
		return m
	case <-time.After(10 * time.Second):
		b.Fatalf("never told %s", kind)
		return wire.Message{}
	}
}

// cycle is the signaling of a session up to media.
func (b *bench) cycle() wire.SessionID {
	b.app.says(b, wire.Message{Type: wire.TypeRequest})
	id := b.app.hears(b, wire.TypeCredentials).SessionID
	b.robot.hears(b, wire.TypeRequest)
	b.robot.says(b, wire.Message{Type: wire.TypeOffer, SessionID: id, SDP: &wire.SessionDescription{Type: "offer", SDP: "v=0"}})
	b.app.hears(b, wire.TypeOffer)
	b.app.says(b, wire.Message{Type: wire.TypeAnswer, SessionID: id, SDP: &wire.SessionDescription{Type: "answer", SDP: "v=0"}})
	b.robot.hears(b, wire.TypeAnswer)
	b.app.says(b, candidate(id))
	b.robot.hears(b, wire.TypeICE)
	b.robot.says(b, candidate(id))
	b.app.hears(b, wire.TypeICE)
	return id
}

func (b *bench) close(id wire.SessionID) {
	b.app.says(b, wire.Message{Type: wire.TypeClose, SessionID: id})
	b.app.hears(b, wire.TypeClose)
	b.robot.hears(b, wire.TypeClose)
}

func candidate(id wire.SessionID) wire.Message {
	return wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: &wire.Candidate{
		Candidate: "candidate:1 1 udp 2130706431 192.0.2.7 51234 typ host", SDPMid: new("0"), SDPMLineIndex: new(uint16(0)),
	}}
}

// TestBench keeps the benchmarks working.
func TestBench(t *testing.T) {
	b := newBench(t, measured())
	b.close(b.cycle())
}

// stream sends messages of one kind to the other end, many under way at once.
// The figures include both clients.
func (b *bench) stream(t *testing.B, from, to *end, kind wire.Type, message func() wire.Message) {
	const underWay = 64
	t.ReportAllocs()
	sent, heard := 0, 0
	for t.Loop() {
		from.says(t, message())
		if sent++; sent-heard == underWay {
			to.hears(t, kind)
			heard++
		}
	}
	for ; heard < sent; heard++ {
		to.hears(t, kind)
	}
	t.ReportMetric(float64(t.N)/t.Elapsed().Seconds(), "messages/s")
}

// BenchmarkForward is signaling from an app to a robot. That the relay is
// measured must not show.
func BenchmarkForward(b *testing.B) {
	b.Run("unmeasured", func(b *testing.B) { forward(b, meters{}) })
	b.Run("measured", func(b *testing.B) { forward(b, measured()) })
}

func forward(b *testing.B, m meters) {
	world := newBench(b, m)
	id := world.cycle()
	world.stream(b, world.app, world.robot, wire.TypeICE, func() wire.Message { return candidate(id) })
	world.close(id)
}

// BenchmarkCommand is a driver's commands.
func BenchmarkCommand(b *testing.B) {
	world := newBench(b, measured())
	world.stream(b, world.app, world.robot, wire.TypeCommand, func() wire.Message {
		return wire.Message{
			Type: wire.TypeCommand, DeviceID: "robot", Command: "motor",
			Data: wire.Raw(`{"left":0.5,"right":-0.25}`), Timestamp: wire.Millis(time.Now()),
		}
	})
}

// BenchmarkEvent is a robot's news.
func BenchmarkEvent(b *testing.B) {
	world := newBench(b, measured())
	world.stream(b, world.robot, world.app, "battery", func() wire.Message {
		return wire.Message{Type: "battery", Fields: wire.Raw(`"level":78,"charging":false`)}
	})
}

// BenchmarkForwardOne is the way of one message alone: its latency.
func BenchmarkForwardOne(b *testing.B) {
	world := newBench(b, measured())
	id := world.cycle()
	b.ReportAllocs()
	for b.Loop() {
		world.app.says(b, candidate(id))
		world.robot.hears(b, wire.TypeICE)
	}
	world.close(id)
}

// BenchmarkCycle is a whole session, from the request to its end.
func BenchmarkCycle(b *testing.B) {
	world := newBench(b, measured())
	b.ReportAllocs()
	for b.Loop() {
		world.close(world.cycle())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cycles/s")
}
