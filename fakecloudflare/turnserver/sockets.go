package turnserver

import (
	"io"
	"net"
	"sync"

	"github.com/pion/turn/v5"
)

// sockets knows every socket that a goroutine of pion/turn reads from. pion
// starts those goroutines and does not wait for them, nor does it close the
// connections it accepted; each ends when its socket does, which is what
// closeAndWait makes happen and waits for.
type sockets struct {
	mu      sync.Mutex
	open    map[any]io.Closer // wrapper to the socket below it; guarded by mu
	closed  bool              // guarded by mu
	running sync.WaitGroup
}

func newSockets() *sockets { return &sockets{open: make(map[any]io.Closer)} }

// add enters a socket under its wrapper, and reports false when the server is
// closing.
func (s *sockets) add(wrapper any, socket io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[wrapper] = socket
	s.running.Add(1)
	return true
}

// done is called when the reader of a socket is gone, any number of times.
func (s *sockets) done(c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.open[c]; found {
		delete(s.open, c)
		s.running.Done()
	}
}

// events counts allocations as well: pion forgets one after its relay socket
// has been closed.
func (s *sockets) events() turn.EventHandler {
	return turn.EventHandler{
		OnAllocationCreated: func(_, _ net.Addr, _, _, _ string, _ net.Addr, _ int) { s.running.Add(1) },
		OnAllocationDeleted: func(_, _ net.Addr, _, _, _ string) { s.running.Done() },
	}
}

func (s *sockets) closeAndWait() {
	s.mu.Lock()
	s.closed = true
	open := make([]io.Closer, 0, len(s.open))
	for _, c := range s.open {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
	s.running.Wait()
}

// relays lists the relay sockets of the allocations.
func (s *sockets) relays() []*relayConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var relays []*relayConn
	for c := range s.open {
		if relay, ok := c.(*relayConn); ok {
			relays = append(relays, relay)
		}
	}
	return relays
}

// packets wraps the UDP listener.
func (s *sockets) packets(conn net.PacketConn) net.PacketConn {
	p := &packetConn{PacketConn: conn, sockets: s}
	s.add(p, conn)
	return p
}

// listener wraps a stream listener, and with it each connection it accepts.
func (s *sockets) listener(l net.Listener) net.Listener {
	t := &listener{Listener: l, sockets: s}
	s.add(t, l)
	return t
}

type packetConn struct {
	net.PacketConn
	sockets *sockets
}

// ReadFrom fails once and for all when the socket is closed: the reader leaves.
func (p *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := p.PacketConn.ReadFrom(b)
	if err != nil {
		p.sockets.done(p)
	}
	return n, addr, err
}

type listener struct {
	net.Listener
	sockets *sockets
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		l.sockets.done(l)
		return nil, err
	}
	c := &streamConn{Conn: conn, sockets: l.sockets}
	if !l.sockets.add(c, conn) {
		_ = conn.Close() // reading from it fails at once
	}
	return c, nil
}

// streamConn is one connection of a client. What pion does last in its
// goroutine is to close it.
type streamConn struct {
	net.Conn
	sockets *sockets
}

func (c *streamConn) Close() error {
	err := c.Conn.Close()
	c.sockets.done(c)
	return err
}
