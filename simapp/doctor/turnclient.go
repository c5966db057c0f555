package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/pion/turn/v5"

	"wimz.dev/live/robot/rtc"
)

// turnClient is a client on a socket of its own. pion's own reader has no end that
// can be waited for, and its requests outlast the deadline: here both end with ctx.
type turnClient struct {
	*turn.Client

	conn    net.PacketConn
	stop    func() bool
	reading sync.WaitGroup

	mu   sync.Mutex
	lost error // why nothing can be read any more
}

// newTURNClient takes the socket over. to is the TURN server's address, empty for
// STUN alone. The client must be closed.
func newTURNClient(ctx context.Context, conn net.PacketConn, to string, s server) (*turnClient, error) {
	pion, err := turn.NewClient(&turn.ClientConfig{
		Conn: conn, TURNServerAddr: to, Username: s.username, Password: s.credential,
		LoggerFactory: rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &turnClient{Client: pion, conn: conn}
	c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	c.reading.Go(c.read)
	return c, nil
}

// read hands what comes to pion, until the socket is lost; then open requests fail.
func (c *turnClient) read() {
	packet := make([]byte, 1<<16)
	for {
		n, from, err := c.conn.ReadFrom(packet)
		if err != nil {
			c.mu.Lock()
			c.lost = err
			c.mu.Unlock()
			_ = c.conn.Close()
			c.Close()
			return
		}
		_, _ = c.HandleInbound(packet[:n], from) // what is no STUN is nothing to us
	}
}

// why returns the cause of a request's failure: the loss of the socket, if that was it.
func (c *turnClient) why(ctx context.Context, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.lost != nil && !errors.Is(c.lost, net.ErrClosed):
		return c.lost
	default:
		return err
	}
}

// close ends it and waits.
func (c *turnClient) close() {
	c.stop()
	_ = c.conn.Close()
	c.reading.Wait()
}

// connected is a UDP socket with one other end, so that it hears of a port that
// nobody listens on.
type connected struct{ net.Conn }

// ReadFrom implements [net.PacketConn].
func (c connected) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}

// WriteTo implements [net.PacketConn].
func (c connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }
