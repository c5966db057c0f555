package rtc

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/pion/transport/v4"
)

// TestWithoutLoopback: only a machine without another interface uses loopback.
func TestWithoutLoopback(t *testing.T) {
	const up = net.FlagUp
	loopback := connected("lo", up|net.FlagLoopback, "127.0.0.1")
	for name, test := range map[string]struct {
		other *transport.Interface
		want  []string
	}{
		"a network":              {connected("eth0", up, "192.0.2.2"), []string{"eth0"}},
		"only IPv6":              {connected("eth0", up, "fd00::2"), []string{"eth0"}},
		"a network that is down": {connected("eth0", 0, "192.0.2.2"), []string{"lo", "eth0"}},
		"no address":             {connected("eth0", up), []string{"lo", "eth0"}},
		"no address of use":      {connected("eth0", up, "fe80::2"), []string{"lo", "eth0"}},
		"a bridge":               {connected("docker0", up, "172.17.0.1"), []string{"lo", "docker0"}},
	} {
		var got []string
		for _, i := range withoutLoopback([]*transport.Interface{loopback, test.other}) {
			got = append(got, i.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func connected(name string, flags net.Flags, addresses ...string) *transport.Interface {
	i := transport.NewInterface(net.Interface{Name: name, Flags: flags})
	for _, address := range addresses {
		i.AddAddress(&net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(64, 128)})
	}
	return i
}

func TestResolve(t *testing.T) {
	n, err := newNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ network, address, want string }{
		{"udp4", "127.0.0.1:3478", "127.0.0.1:3478"},
		{"udp", "[::1]:3478", "[::1]:3478"},
		{"udp4", "localhost:3478", "127.0.0.1:3478"},
		{"udp4", "[::1]:3478", ""},
		{"udp", "no-port", ""},
	} {
		got, err := n.ResolveUDPAddr(c.network, c.address)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%s %s: %v, %v", c.network, c.address, got, err)
		}
	}
}

// TestEnd: with the peer connection its sockets end, whoever still uses them,
// and nothing new is dialled or looked up.
func TestEnd(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	n, err := newNetwork(life)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := n.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // a test is over
	server, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP address")
	}
	tcp, err := n.DialTCP("tcp4", nil, server)
	if err != nil {
		t.Fatal(err)
	}
	reads := make(chan error, 3)
	go func() { _, _, err := packets.ReadFrom(make([]byte, 1)); reads <- err }()
	go func() { _, _, err := udp.ReadFrom(make([]byte, 1)); reads <- err }()
	go func() { _, err := tcp.Read(make([]byte, 1)); reads <- err }()
	end()
	for range 3 {
		if err := <-reads; err == nil {
			t.Error("a socket outlives its connection")
		}
	}
	if _, err := n.DialTCP("tcp4", nil, server); err == nil {
		t.Error("dialled after the end")
	}
	if _, err := n.ResolveUDPAddr("udp4", "localhost:1"); err == nil {
		t.Error("looked up after the end")
	}
}
