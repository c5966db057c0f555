package load

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadRobots(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadRobots(dir); err == nil {
		t.Error("an empty folder is no error")
	}
	put("2.yaml", "cloud:\n  device_id: \"b\"\n  device_secret: \"hush-b\"\n  other: 1\nwebrtc: {}\n")
	put("1.yaml", "cloud: {device_id: a, device_secret: hush-a}")
	put("notes.txt", "nothing")
	robots, err := ReadRobots(dir)
	if err != nil || len(robots) != 2 || robots[0] != (Robot{"a", "hush-a"}) || robots[1] != (Robot{"b", "hush-b"}) {
		t.Errorf("got %v, %v", robots, err)
	}
	for _, bad := range []string{"", "hush: [", "cloud: {device_id: a/b, device_secret: hush}", "cloud: {device_id: a}", "cloud: {device_secret: hush}"} {
		put("bad.yaml", bad)
		if _, err := ReadRobots(dir); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "bad.yaml") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSpread(t *testing.T) {
	var times []time.Duration
	for i := range 101 {
		times = append(times, time.Duration(100-i)*time.Millisecond)
	}
	if got := spread(times); got != (Spread{50, 95, 99, 100}) {
		t.Errorf("got %v", got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of nothing: %v", got)
	}
	if got := spread(times[:1]); got.P50 != got.Max {
		t.Errorf("of one: %v", got)
	}
}

// TestNobodyThere: a relay that can't be reached is an error, at once.
func TestNobodyThere(t *testing.T) {
	cfg := Config{RelayURL: "ws://127.0.0.1:1", Robots: []Robot{{"a", "hush"}}, Token: "x", Apps: 3, For: time.Minute, Log: quiet()}
	began := time.Now()
	if _, err := Run(t.Context(), cfg); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	for _, wrong := range []Config{{}, {Robots: cfg.Robots}, {Apps: 1}} {
		if _, err := Run(t.Context(), wrong); err == nil {
			t.Errorf("%v: no error", wrong)
		}
	}
}

// TestFleet: it is complete with the last robot, whatever is said twice or of others.
func TestFleet(t *testing.T) {
	f := newFleet([]Robot{{ID: "a"}, {ID: "b"}})
	ctx, cancel := context.WithCancel(t.Context())
	for _, id := range []wire.DeviceID{"a", "a", "c"} {
		f.online(id)
	}
	cancel()
	if f.wait(ctx) == nil {
		t.Error("b is missing, and nobody says so")
	}
	f.online("b")
	f.online("b")
	if err := f.wait(t.Context()); err != nil {
		t.Error(err)
	}
	synctest.Test(t, func(t *testing.T) {
		err := newFleet([]Robot{{ID: "a"}}).wait(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "1 robots are connected, but not there") {
			t.Errorf("got %v", err)
		}
	})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
