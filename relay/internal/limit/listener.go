package limit

import (
	"context"
	"net"

	"golang.org/x/time/rate"
)

// Listener bounds how many bytes are read from each connection it accepts. Who
// sends more fills their own kernel's buffer and waits. The burst is more than
// anybody reads at once.
func Listener(l net.Listener, bytes Rate) net.Listener {
	if bytes == (Rate{}) {
		return l
	}
	return &listener{l, bytes}
}

type listener struct {
	net.Listener
	bytes Rate
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{c, l.bytes.Limiter()}, nil
}

type conn struct {
	net.Conn
	bytes *rate.Limiter
}

// Read waits after it has read: milliseconds, as buffers are small.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), c.bytes.Burst())])
	_ = c.bytes.WaitN(context.Background(), n) // n is at most the burst, and nothing else can fail
	return n, err
}
