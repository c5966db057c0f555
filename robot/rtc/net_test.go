package rtc

import (
	"context"
	"net"
	"testing"
)

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
