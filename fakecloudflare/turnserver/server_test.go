package turnserver_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"

	"wimz.dev/live/fakecloudflare/turnrest"
	"wimz.dev/live/fakecloudflare/turnserver"
)

const secret = "secret1"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, change func(*turnserver.Config)) *turnserver.Server {
	t.Helper()
	cfg := turnserver.Config{Secret: secret}
	if change != nil {
		change(&cfg)
	}
	s, err := turnserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// dial returns a client over the transport a URL names.
func dial(t *testing.T, url, username, password string) *turn.Client {
	t.Helper()
	addr, transport, _ := strings.Cut(url[strings.Index(url, ":")+1:], "?transport=")
	var conn net.PacketConn
	if transport == "udp" {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = udp
	} else {
		stream, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn = turn.NewSTUNConn(stream)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: addr, Conn: conn, Username: username, Password: password,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		_ = conn.Close()
	})
	return client
}

// credential lives for ttl.
func credential(ttl time.Duration) (username, password string) {
	username = turnrest.Username(time.Now().Add(ttl), "test")
	return username, turnrest.Password(secret, username)
}

// echo sends a datagram through the relay to a peer on loopback and back.
func echo(t *testing.T, relay net.PacketConn) error {
	t.Helper()
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	deadline := time.Now().Add(5 * time.Second)
	_ = peer.SetDeadline(deadline)
	_ = relay.SetReadDeadline(deadline)
	if _, err = relay.WriteTo([]byte("there"), peer.LocalAddr()); err != nil {
		return err
	}
	buf := make([]byte, 64)
	n, from, err := peer.ReadFrom(buf)
	if err != nil {
		return err
	}
	if _, err = peer.WriteTo(append(buf[:n], " and back"...), from); err != nil {
		return err
	}
	n, _, err = relay.ReadFrom(buf)
	if got := string(buf[:n]); err == nil && got != "there and back" {
		t.Errorf("relayed %q", got)
	}
	return err
}

func TestRelaysOverEveryTransport(t *testing.T) {
	s := start(t, nil)
	if len(s.URLs()) != 2 {
		t.Fatalf("URLs %v, want UDP and TCP", s.URLs())
	}
	for _, url := range s.URLs() {
		t.Run(url, func(t *testing.T) {
			username, password := credential(time.Hour)
			relay, err := dial(t, url, username, password).Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = relay.Close() }()
			if err := echo(t, relay); err != nil {
				t.Error(err)
			}
			if n := s.Allocations(); n < 1 {
				t.Errorf("%d allocations counted", n)
			}
		})
	}
}

func TestRefusesBadCredentials(t *testing.T) {
	s := start(t, func(cfg *turnserver.Config) {
		cfg.Authorised = func(username string) bool { return !strings.HasSuffix(username, ":revoked") }
	})
	later := time.Now().Add(time.Hour)
	expired := turnrest.Username(time.Now().Add(-time.Second), "late")
	revoked := turnrest.Username(later, "revoked")
	for name, c := range map[string][2]string{
		"expired":        {expired, turnrest.Password(secret, expired)},
		"revoked":        {revoked, turnrest.Password(secret, revoked)},
		"wrong password": {turnrest.Username(later, "x"), "guess"},
		"no expiry":      {"robot", turnrest.Password(secret, "robot")},
	} {
		t.Run(name, func(t *testing.T) {
			if relay, err := dial(t, s.URLs()[0], c[0], c[1]).Allocate(); err == nil {
				_ = relay.Close()
				t.Error("allocated")
			}
		})
	}
	if n := s.Allocations(); n != 0 {
		t.Errorf("%d allocations", n)
	}
}

// An allocation in use ends with its credential, not at the next refresh some
// minutes later.
func TestCutsAllocationsWhoseCredentialEnds(t *testing.T) {
	for _, name := range []string{"expired", "revoked"} {
		t.Run(name, func(t *testing.T) {
			var revoked atomic.Bool
			s := start(t, func(cfg *turnserver.Config) { cfg.Authorised = func(string) bool { return !revoked.Load() } })
			ttl := time.Hour
			if name == "expired" {
				ttl = 2 * time.Second
			}
			username, password := credential(ttl)
			relay, err := dial(t, s.URLs()[0], username, password).Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = relay.Close() }()
			if err := echo(t, relay); err != nil {
				t.Fatal(err)
			}
			revoked.Store(name == "revoked")
			gone := time.NewTicker(10 * time.Millisecond)
			defer gone.Stop()
			deadline := time.After(10 * time.Second)
			for s.Allocations() > 0 {
				select {
				case <-gone.C:
				case <-deadline:
					t.Fatal("the allocation outlives its credential")
				}
			}
		})
	}
}

// Close must not wait for clients that stay connected and say nothing.
func TestCloseEndsIdleConnections(t *testing.T) {
	s, err := turnserver.Start(turnserver.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	addr, _, _ := strings.Cut(strings.TrimPrefix(s.URLs()[1], "turn:"), "?")
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	if _, err = idle.Write([]byte("no STUN")); err != nil {
		t.Fatal(err)
	}
	username, password := credential(time.Hour)
	relay, err := dial(t, s.URLs()[1], username, password).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = relay.Close() }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := s.Allocations(); n != 0 {
		t.Errorf("%d allocations are left", n)
	}
}

func TestStartRefuses(t *testing.T) {
	for name, cfg := range map[string]turnserver.Config{
		"no secret":  {},
		"no address": {Secret: secret, Listen: "nowhere"},
		"no IP":      {Secret: secret, Listen: "localhost:0"},
		"not our IP": {Secret: secret, Listen: "192.0.2.1:1"},
	} {
		if s, err := turnserver.Start(cfg); err == nil {
			_ = s.Close()
			t.Errorf("%s: started", name)
		}
	}
}
