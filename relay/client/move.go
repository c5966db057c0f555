package client

import (
	"context"
	"net"
	"time"
)

// lookEvery is how often the machine's addresses are looked at: a phone that
// changes from Wi-Fi to mobile would otherwise hear of it only when the
// connection times out.
const lookEvery = time.Second

// awaitMove returns true when a connection's local address is no longer one of
// this machine's, and false when ctx ends.
func awaitMove(ctx context.Context, local net.Addr) bool {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if !isOurs(local) {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// isOurs reports whether an address can still be sent from. In doubt it can.
func isOurs(local net.Addr) bool {
	tcp, ok := local.(*net.TCPAddr)
	if !ok {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, address := range addresses {
		if ours, ok := address.(*net.IPNet); ok && (ours.IP.Equal(tcp.IP) || tcp.IP.IsLoopback()) {
			return true
		}
	}
	return false
}
