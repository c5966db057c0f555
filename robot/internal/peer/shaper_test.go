package peer_test

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bottleneck stands between a robot and a viewer: what goes to the viewer passes
// through a queue of a bounded length at a bounded rate, and some of it gets lost.
// The way back is wide.
type bottleneck struct {
	t      testing.TB
	front  *net.UDPConn // where the robot sends to
	viewer *net.UDPAddr
	kbps   atomic.Int64
	loss   atomic.Int64 // percent
	queue  time.Duration

	running sync.WaitGroup
	line    chan parcel

	mu     sync.Mutex
	closed bool
	free   time.Time                       // when the line is empty
	backs  map[netip.AddrPort]*net.UDPConn // one for each of the robot's addresses
}

type parcel struct {
	data []byte
	out  *net.UDPConn
	at   time.Time
}

func newBottleneck(t testing.TB, viewerPort int, kbps int) *bottleneck {
	t.Helper()
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	b := &bottleneck{
		t: t, front: front, viewer: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: viewerPort},
		queue: time.Second, line: make(chan parcel, 10_000), backs: map[netip.AddrPort]*net.UDPConn{},
	}
	b.kbps.Store(int64(kbps))
	b.running.Go(b.accept)
	b.running.Go(b.deliver)
	t.Cleanup(b.close)
	return b
}

func (b *bottleneck) port() int { return b.front.LocalAddr().(*net.UDPAddr).Port } //nolint:forcetypeassert // it is one

func (b *bottleneck) accept() {
	defer close(b.line)
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := b.front.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		if rand.Int64N(100) < b.loss.Load() {
			continue
		}
		b.mu.Lock()
		now := time.Now()
		if b.free.Before(now) {
			b.free = now
		}
		full := b.free.Sub(now) > b.queue
		if !full {
			b.free = b.free.Add(time.Duration(n*8) * time.Second / time.Duration(b.kbps.Load()*1000))
		}
		at := b.free
		b.mu.Unlock()
		if out := b.back(from); !full && out != nil {
			b.line <- parcel{append([]byte(nil), buffer[:n]...), out, at}
		}
	}
}

func (b *bottleneck) deliver() {
	for p := range b.line {
		<-time.After(time.Until(p.at))
		_, _ = p.out.WriteToUDP(p.data, b.viewer)
	}
}

// back returns the socket that stands for one of the robot's addresses.
func (b *bottleneck) back(robot netip.AddrPort) *net.UDPConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if conn := b.backs[robot]; conn != nil || b.closed {
		return conn
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.t.Error(err)
		return nil
	}
	b.backs[robot] = conn
	b.running.Go(func() {
		buffer := make([]byte, 1<<16)
		for {
			n, _, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			_, _ = b.front.WriteToUDPAddrPort(buffer[:n], robot)
		}
	})
	return conn
}

func (b *bottleneck) close() {
	b.mu.Lock()
	b.closed = true
	for _, conn := range b.backs {
		_ = conn.Close()
	}
	b.mu.Unlock()
	_ = b.front.Close()
	b.running.Wait()
}
