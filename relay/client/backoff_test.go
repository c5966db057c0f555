package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// TestBackoff: each wait is anywhere from nothing to twice as much as before,
// up to the cap, so that a fleet does not come back as one.
func TestBackoff(t *testing.T) {
	c := &Client{cfg: Config{Delay: time.Second, MaxDelay: time.Minute}}
	closed := func(code wire.CloseCode) error { return &ended{cause: &ws.ClosedError{Code: code, ByPeer: true}} }
	for name, row := range map[string]struct {
		failures    int
		cause       error
		least, most time.Duration
	}{
		"after a connection":  {0, closed(wire.CloseNoHeartbeat), 0, time.Second},
		"first failure":       {1, errors.New("refused"), 0, 2 * time.Second},
		"third failure":       {3, errors.New("refused"), 0, 8 * time.Second},
		"many failures":       {10, errors.New("refused"), 0, time.Minute},
		"very many failures":  {1 << 40, errors.New("refused"), 0, time.Minute},
		"replaced":            {0, closed(wire.CloseReplaced), time.Minute, time.Minute + 1},
		"told when to return": {0, &ended{cause: errors.New("x"), retryAfter: 5 * time.Second}, 5 * time.Second, 6 * time.Second},
	} {
		var lowest, highest time.Duration = time.Hour, 0
		for range 1000 {
			wait := c.backoff(row.failures, row.cause)
			lowest, highest = min(lowest, wait), max(highest, wait)
		}
		if lowest < row.least || highest >= row.most {
			t.Errorf("%s: %s to %s, want %s to %s", name, lowest, highest, row.least, row.most)
		}
		if spread := row.most - row.least; spread > 1 && (highest-lowest) < spread/2 {
			t.Errorf("%s: %s to %s is no jitter", name, lowest, highest)
		}
	}
}

// TestGoingAway: a relay that says when to come back is believed.
func TestGoingAway(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	socket := relay.accept()
	const pause = 200 * time.Millisecond // much more than the client's own back-off
	socket.send(wire.Message{Type: wire.TypeGoingAway, RetryMS: int(pause.Milliseconds())})
	socket.close(wire.CloseGoingAway)
	_ = run.down()
	began := time.Now()
	relay.accept()
	if d := time.Since(began); d < pause-10*time.Millisecond {
		t.Errorf("came back after %s", d)
	}
}

func TestEndpoint(t *testing.T) {
	for address, want := range map[string]string{
		"ws://relay:8000":        "ws://relay:8000/ws/app",
		"wss://relay":            "wss://relay/ws/app",
		"http://relay:8000/":     "ws://relay:8000/ws/app",
		"https://relay":          "wss://relay/ws/app",
		"wss://relay/v1/ws/app":  "wss://relay/v1/ws/app",
		"ws://[::1]:8000":        "ws://[::1]:8000/ws/app",
		"":                       "",
		"relay:8000":             "",
		"ftp://relay":            "",
		"ws://":                  "",
		"ws:///ws/app":           "",
		"http://secret\x7f:8000": "",
		"://secret":              "",
	} {
		got, err := endpoint(address, "/ws/app")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", address, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats the URL: %v", err)
		}
	}
	if _, err := New(Config{URL: "nonsense", Identity: device()}); err == nil {
		t.Error("a client without a relay")
	}
}

func TestDefaults(t *testing.T) {
	for _, row := range []struct{ delay, most, wantDelay, wantMost time.Duration }{
		{0, 0, time.Second, 25 * time.Second},
		{time.Hour, time.Minute, time.Hour, time.Hour},
		{time.Millisecond, 2 * time.Millisecond, time.Millisecond, 2 * time.Millisecond},
	} {
		c, err := New(Config{URL: "ws://relay", Identity: device(), Delay: row.delay, MaxDelay: row.most})
		if err != nil || c.cfg.Delay != row.wantDelay || c.cfg.MaxDelay != row.wantMost {
			t.Errorf("%v: %v, %v, %v", row, c.cfg.Delay, c.cfg.MaxDelay, err)
		}
	}
}
