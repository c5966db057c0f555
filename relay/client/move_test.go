package client

import (
	"net"
	"testing"
)

func TestIsOurs(t *testing.T) {
	for name, c := range map[string]struct {
		local net.Addr
		want  bool
	}{
		"loopback":             {&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, true},
		"an address elsewhere": {&net.TCPAddr{IP: net.IPv4(203, 0, 113, 7)}, false},
		"no TCP":               {&net.UnixAddr{Name: "socket"}, true},
	} {
		if got := isOurs(c.local); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestMove: a connection whose address is gone ends at once, and a client that
// has moved comes back without a pause.
func TestMove(t *testing.T) {
	gone := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7)}
	if !awaitMove(t.Context(), gone) {
		t.Error("the loss of the address was not seen")
	}
	c := &Client{cfg: Config{Delay: 1, MaxDelay: 1}}
	if wait := c.backoff(0, &ended{cause: ErrMoved}); wait != 0 {
		t.Errorf("a pause of %s", wait)
	}
}
