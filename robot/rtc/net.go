package rtc

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// dialTimeout bounds the connection to a TURN server over TCP: a firewall that
// drops it says nothing for two minutes.
const dialTimeout = 5 * time.Second

// network is this machine's, as one peer connection uses it. pion asks servers
// that may never answer, and waits for them when it is closed: with the end of
// the context every socket is closed and every dial ends. And it sees the
// interfaces as they are now, not as they were when the connection began.
type network struct {
	*stdnet.Net
	life          context.Context //nolint:containedctx // the life of the peer connection
	loopbackAlone bool            // or not at all
}

func newNetwork(life context.Context) (*network, error) {
	machine, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return &network{Net: machine, life: life}, nil
}

// Interfaces implements [transport.Net].
func (n *network) Interfaces() ([]*transport.Interface, error) {
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	all, err := now.Interfaces()
	if n.loopbackAlone {
		all = withoutLoopback(all)
	}
	return all, err
}

// withoutLoopback leaves loopback out, if another interface is useful. To a browser on
// this machine loopback is the shortest path, so it would be taken; and Firefox does not
// answer by it.
func withoutLoopback(all []*transport.Interface) []*transport.Interface {
	if slices.ContainsFunc(all, isUseful) {
		return slices.DeleteFunc(all, isLoopback)
	}
	return all
}

func isLoopback(i *transport.Interface) bool { return i.Flags&net.FlagLoopback != 0 }

// isUseful reports whether a candidate will be gathered on an interface besides
// loopback.
func isUseful(i *transport.Interface) bool {
	if isLoopback(i) || i.Flags&net.FlagUp == 0 || !useInterface(i.Name) {
		return false
	}
	addresses, _ := i.Addrs() // none, if it has gone
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && useIP(network.IP)
	})
}

// ListenPacket implements [transport.Net]: the socket to a TURN server.
func (n *network) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return &packetConn{PacketConn: conn, forget: n.closeAtEnd(conn)}, nil
}

// ListenUDP implements [transport.Net]: the sockets of candidates.
func (n *network) ListenUDP(network string, local *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, local)
	if err != nil {
		return nil, err
	}
	return &udpConn{UDPConn: conn, forget: n.closeAtEnd(conn)}, nil
}

// DialTCP implements [transport.Net]: the connection to a TURN server over TCP
// and TLS.
func (n *network) DialTCP(network string, local, remote *net.TCPAddr) (transport.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if local != nil {
		dialer.LocalAddr = local
	}
	conn, err := dialer.DialContext(n.life, network, remote.String())
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return nil, net.UnknownNetworkError(network)
	}
	return &tcpConn{TCPConn: tcp, forget: n.closeAtEnd(tcp)}, nil
}

// ResolveUDPAddr implements [transport.Net].
func (n *network) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	at, err := n.resolve(network, address)
	return net.UDPAddrFromAddrPort(at), err
}

// ResolveTCPAddr implements [transport.Net].
func (n *network) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	at, err := n.resolve(network, address)
	return net.TCPAddrFromAddrPort(at), err
}

// resolve looks a host up, for as long as a name server may take.
func (n *network) resolve(network, address string) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(n.life, dialTimeout)
	defer cancel()
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	family := "ip" + strings.TrimLeft(network, "udtcp") // ip4 of udp4, ip of tcp
	found, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(port)), nil //nolint:gosec // a port has 16 bits
}

// closeAtEnd closes a socket with the peer connection, unless it is forgotten.
func (n *network) closeAtEnd(conn interface{ Close() error }) (forget func() bool) {
	return context.AfterFunc(n.life, func() { _ = conn.Close() })
}

// The sockets, which are forgotten when pion closes them itself.
type (
	packetConn struct {
		net.PacketConn
		forget func() bool
	}
	udpConn struct {
		transport.UDPConn
		forget func() bool
	}
	tcpConn struct {
		transport.TCPConn
		forget func() bool
	}
)

// Close implements [net.PacketConn].
func (c *packetConn) Close() error { c.forget(); return c.PacketConn.Close() }

// Close implements [transport.UDPConn].
func (c *udpConn) Close() error { c.forget(); return c.UDPConn.Close() }

// Close implements [transport.TCPConn].
func (c *tcpConn) Close() error { c.forget(); return c.TCPConn.Close() }
