package turnserver

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/pion/turn/v5"
)

var (
	errClosing  = errors.New("the server is closing")
	errTCPRelay = errors.New("TCP allocations (RFC 6062) are not offered")
)

// relays makes the relayed transport addresses. Like Cloudflare it relays UDP
// only. It implements [turn.RelayAddressGenerator].
type relays struct {
	ip      net.IP
	sockets *sockets
}

// Validate has nothing to check: Start has parsed the address.
func (*relays) Validate() error { return nil }

// AllocatePacketConn opens the relay socket of a new allocation.
func (r *relays) AllocatePacketConn(cfg turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	var lc net.ListenConfig
	addr := net.JoinHostPort(r.ip.String(), strconv.Itoa(cfg.RequestedPort))
	conn, err := lc.ListenPacket(context.Background(), cfg.Network, addr)
	if err != nil {
		return nil, nil, err
	}
	if cfg.UserID == "" {
		return conn, conn.LocalAddr(), nil // pion only looks for a free port
	}
	relay := &relayConn{PacketConn: conn, sockets: r.sockets, username: cfg.UserID}
	if !r.sockets.add(relay, conn) {
		return nil, nil, errors.Join(errClosing, conn.Close())
	}
	return relay, conn.LocalAddr(), nil
}

// AllocateListener refuses: see [relays].
func (*relays) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCPRelay
}

// AllocateConn refuses: see [relays].
func (*relays) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errTCPRelay }

// relayConn is the relay socket of one allocation.
type relayConn struct {
	net.PacketConn

	sockets  *sockets
	username string
}

// ReadFrom fails once and for all when the socket is closed, and pion then
// drops the allocation.
func (c *relayConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.PacketConn.ReadFrom(b)
	if err != nil {
		c.sockets.done(c)
	}
	return n, addr, err
}
