package robot

import (
	"context"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/wire"
)

// TestAliveUntilSomethingHangs: what systemd's watchdog rests on.
func TestAliveUntilSomethingHangs(t *testing.T) {
	g := start(t, nil)
	mustFlow(t, g.watch("s1"))
	alive := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return g.Alive(ctx)
	}
	const soon = 200 * time.Millisecond
	if err := alive(patience); err != nil {
		t.Errorf("a robot with a viewer: %v", err)
	}

	g.mu.Lock()
	if err := alive(soon); err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("with its lock taken: %v", err)
	}
	g.mu.Unlock()

	// A session whose goroutine waits for ever.
	g.request("s2")
	g.awaitType(wire.TypeOffer, "s2")
	stuck := make(chan struct{})
	g.gate.Store(&stuck)
	g.session("s2").peer.Online(false) // it offers once more
	if err := alive(soon); err == nil || !strings.Contains(err.Error(), "session s2") {
		t.Errorf("with a session that hangs: %v", err)
	}
	close(stuck)
	if err := alive(patience); err != nil {
		t.Errorf("when all goes on: %v", err)
	}

	g.stop()
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	if err := alive(soon); err == nil || !strings.Contains(err.Error(), "main loop") {
		t.Errorf("without its main loop: %v", err)
	}
	if !strings.Contains(g.Summary(), "of 2 viewers") {
		t.Error(g.Summary())
	}
}
