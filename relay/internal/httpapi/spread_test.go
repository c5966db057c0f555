package httpapi

import (
	"testing"
	"time"
)

// TestSpread: the more clients, the longer they take to come back, within bounds.
func TestSpread(t *testing.T) {
	for sockets, want := range map[int]time.Duration{
		0: 2 * time.Second, 1: 2 * time.Second, 133: 2 * time.Second, 200: 3 * time.Second,
		1000: 15 * time.Second, 2000: 20 * time.Second, 100_000: 20 * time.Second,
	} {
		if got := spread(sockets); got != want {
			t.Errorf("%d sockets: %s, want %s", sockets, got, want)
		}
	}
}
