package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/httpapi"
	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

var (
	_ hub.Meter     = (*Sockets)(nil)
	_ session.Meter = (*Sessions)(nil)
	_ httpapi.Meter = (*Requests)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape returns the figures as Prometheus reads them: series and value.
func scrape(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	text, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, text)
	}
	series := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := cutLast(strings.TrimSpace(line)); found && !strings.HasPrefix(line, "#") {
			series[strings.TrimPrefix(name, namespace+"_")] = value
		}
	}
	return series
}

// cutLast cuts at the last blank: a label value may hold others.
func cutLast(line string) (before, after string, found bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return line, "", false
	}
	return line[:i], line[i+1:], true
}

// TestFigures lets things happen and looks at what is said of them.
func TestFigures(t *testing.T) {
	const second = time.Second
	for name, tt := range map[string]struct {
		happens func(*Metrics)
		want    map[string]string
	}{
		"sockets": {
			func(m *Metrics) {
				for range 2 {
					m.Sockets.Opened(wire.App)
				}
				m.Sockets.Opened(wire.Robot)
				m.Sockets.Closed(wire.Robot, &ws.ClosedError{Code: wire.CloseTooSlow})
				m.Sockets.Closed(wire.App, &ws.ClosedError{Code: wire.CloseTooSlow, ByPeer: true})
				m.Sockets.Opened(wire.App)
				m.Sockets.Closed(wire.App, io.ErrUnexpectedEOF)
				m.Sockets.Opened(wire.App)
				m.Sockets.Closed(wire.App, &ws.ClosedError{Code: 1006, ByPeer: true})
			},
			map[string]string{
				`sockets{kind="app"}`: "1", `sockets{kind="robot"}`: "0", `sockets_opened_total{kind="app"}`: "4",
				`sockets_closed_total{cause="too_slow",kind="robot"}`: "1", `sockets_closed_total{cause="too_slow",kind="app"}`: "0",
				`sockets_closed_total{cause="closed_by_peer",kind="app"}`: "1", `sockets_closed_total{cause="lost",kind="app"}`: "2",
			},
		},
		"messages": {
			func(m *Metrics) {
				m.Sockets.Heard(wire.App, wire.TypeRequest)
				m.Sockets.Told(wire.Robot, wire.TypeRequest)
				m.Sockets.Told(wire.App, wire.TypeError)
				m.Sockets.Refused(wire.CodeDeviceOffline)
				m.Sockets.Dropped(hub.DropRateLimited)
			},
			map[string]string{
				`messages_total{direction="in",kind="app",type="webrtc_request"}`:    "1",
				`messages_total{direction="out",kind="robot",type="webrtc_request"}`: "1",
				`messages_total{direction="in",kind="robot",type="webrtc_request"}`:  "0",
				`errors_total{code="DEVICE_OFFLINE"}`:                                "1",
				`messages_dropped_total{reason="rate_limited"}`:                      "1",
			},
		},
		"what nobody knows is other": {
			func(m *Metrics) {
				m.Sockets.Heard(wire.App, "made_up")
				m.Sockets.Refused("MADE_UP")
				m.Sessions.Ended("made up")
				m.Sockets.Closed(wire.App, &ws.ClosedError{Code: 4999})
				m.Requests.Answered("", 404)
				m.Requests.Unauthenticated("")
			},
			map[string]string{
				`messages_total{direction="in",kind="app",type="other"}`: "1", `errors_total{code="other"}`: "1",
				`sessions_ended_total{reason="other"}`: "1", `sockets_closed_total{cause="other",kind="app"}`: "1",
				`http_requests_total{route="other",status="404"}`: "1", `auth_failures_total{cause="other"}`: "1",
			},
		},
		"sessions": {
			func(m *Metrics) {
				m.Sessions.Entered(session.Requested, 30*time.Millisecond)
				m.Sessions.Left(session.Requested)
				m.Sessions.Entered(session.Offered, 2*second)
				m.Sessions.Entered(session.Requested, 0)
				m.Sessions.Left(session.Requested)
				m.Sessions.Ended(wire.ReasonOfferTimeout)
				m.Sessions.Forwarded(70 * time.Microsecond)
				m.Sessions.Intruded()
			},
			map[string]string{
				`sessions{state="requested"}`: "0", `sessions{state="offered"}`: "1", `sessions{state="connected"}`: "0",
				`session_reached_seconds_count{state="requested"}`:          "2",
				`session_reached_seconds_sum{state="offered"}`:              "2",
				`session_reached_seconds_bucket{state="offered",le="2.5"}`:  "1",
				`session_reached_seconds_bucket{state="offered",le="1"}`:    "0",
				`sessions_ended_total{reason="offer_timeout"}`:              "1",
				`forward_seconds_bucket{le="5e-05"}`:                        "0",
				`forward_seconds_bucket{le="0.0001"}`:                       "1",
				`session_intrusions_total`:                                  "1",
				`sessions_ended_total{reason="app_left"}`:                   "0",
				`session_reached_seconds_bucket{state="connected",le="25"}`: "0",
			},
		},
		"requests": {
			func(m *Metrics) {
				m.Requests.Answered("GET /ws/app", 101)
				m.Requests.Unauthenticated("no token")
			},
			map[string]string{
				`http_requests_total{route="GET /ws/app",status="101"}`:             "1",
				`auth_failures_total{cause="no token"}`:                             "1",
				`build_info{go_version="` + runtime.Version() + `",version="test"}`: "1",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := New("test")
			tt.happens(m)
			got := scrape(t, m)
			for series, value := range tt.want {
				if got[series] != value {
					t.Errorf("%s is %q, want %q", series, got[series], value)
				}
			}
		})
	}
}

// TestProvider mints with one that is well, one that fails, and one at rest.
func TestProvider(t *testing.T) {
	m, fake := New("test"), &failing{}
	p := m.Provider(fake)
	mint := func(err error) {
		fake.err = err
		if _, got := p.Mint(t.Context(), time.Minute, ""); !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
	}
	mint(nil)
	mint(&turn.Error{Kind: turn.KindTimeout})
	mint(&turn.Error{Kind: turn.KindResting})
	mint(context.Canceled)
	got := scrape(t, m)
	for series, value := range map[string]string{
		"turn_mint_seconds_count": "3", `turn_mint_errors_total{cause="timeout"}`: "1",
		`turn_mint_errors_total{cause="resting"}`: "1", `turn_mint_errors_total{cause="other"}`: "1",
	} {
		if got[series] != value {
			t.Errorf("%s is %q, want %q", series, got[series], value)
		}
	}
}

type failing struct {
	turn.None
	err error
}

func (f *failing) Mint(context.Context, time.Duration, string) (turn.Credentials, error) {
	return turn.Credentials{}, f.err
}

// TestBreakerAndPool looks at both while a provider is well, and when it is not.
func TestBreakerAndPool(t *testing.T) {
	m, fake := New("test"), &failing{}
	breaker := turn.NewBreaker(fake, nil)
	pool, err := turn.NewPool(t.Context(), turn.PoolConfig{Provider: breaker, IdentifierKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	m.Breaker(breaker)
	m.Pool(pool)
	expect := func(when, held, closed, open, opened string) {
		t.Helper()
		got := scrape(t, m)
		for series, value := range map[string]string{
			"turn_credentials": held, `turn_breaker_state{state="closed"}`: closed,
			`turn_breaker_state{state="open"}`: open, `turn_breaker_state{state="half_open"}`: "0", "turn_breaker_opened_total": opened,
		} {
			if got[series] != value {
				t.Errorf("%s: %s is %q, want %q", when, series, got[series], value)
			}
		}
	}
	lease, err := pool.Acquire(t.Context(), turn.Key{User: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	expect("well", "1", "1", "0", "0")
	fake.err = &turn.Error{Kind: turn.KindStatus, Status: 401}
	if _, err := pool.Acquire(t.Context(), turn.Key{User: "bob"}); err == nil {
		t.Error("no error")
	}
	expect("failing", "1", "0", "1", "1")
	lease.Release()
	if err := pool.Close(t.Context()); err != nil {
		t.Error(err)
	}
	expect("closed", "0", "0", "1", "1")
}

// TestStore asks a store that is there, and one that is closed.
func TestStore(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), config.MemoryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	m := New("test")
	s := m.Store(db)
	_, _ = s.UserByEmail(t.Context(), "ann@example.com")
	_, _, _ = s.Standing(t.Context(), "ann", "")
	_, _ = s.Device(t.Context(), "robot")
	_, _ = s.DevicesOf(t.Context(), "ann")
	_, _ = s.Entitled(t.Context(), "ann", "robot")
	_ = s.AcceptSignature(t.Context(), "robot", time.Now())
	got := scrape(t, m)
	for series, value := range map[string]string{
		"store_up": "1", `store_seconds_count{query="user"}`: "2", `store_seconds_count{query="device"}`: "1",
		`store_seconds_count{query="devices"}`: "2", `store_seconds_count{query="signature"}`: "1",
	} {
		if got[series] != value {
			t.Errorf("%s is %q, want %q", series, got[series], value)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if up := scrape(t, m)["store_up"]; up != "0" {
		t.Errorf("store_up is %s of a store that is closed", up)
	}
}

// TestNothingAllocates of what is called for every message.
func TestNothingAllocates(t *testing.T) {
	m := New("test")
	if n := testing.AllocsPerRun(100, func() {
		m.Sockets.Heard(wire.Robot, wire.TypeICE)
		m.Sockets.Told(wire.App, wire.TypeICE)
		m.Sockets.Told(wire.App, "made_up")
		m.Sockets.Dropped(hub.DropNoSession)
		m.Sessions.Forwarded(time.Millisecond)
		m.Sessions.Intruded()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkMessage is what one forwarded message costs, clocks included.
func BenchmarkMessage(b *testing.B) {
	m := New("test")
	b.ReportAllocs()
	for b.Loop() {
		heard := time.Now()
		m.Sockets.Heard(wire.Robot, wire.TypeICE)
		m.Sockets.Told(wire.App, wire.TypeICE)
		m.Sessions.Forwarded(time.Since(heard))
	}
}
