package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"golang.org/x/net/dns/dnsmessage"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
)

// turnWorld is a TURN server on one port of loopback: over UDP, over TCP or TLS.
type turnWorld struct {
	udp, tcp    bool
	silent      bool             // UDP comes to a socket that says nothing
	certificate *tls.Certificate // TLS instead of TCP
}

const username, password = "user-hush", "password-hush"

// start returns the server's address.
func (w turnWorld) start(t *testing.T) (address string) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = tcp.Addr().String()
	generator := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	cfg := turn.ServerConfig{
		Realm:         "test",
		LoggerFactory: rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)),
		AuthHandler: func(r *turn.RequestAttributes) (string, []byte, bool) {
			return r.Username, turn.GenerateAuthKey(username, r.Realm, password), r.Username == username
		},
	}
	if w.udp || w.silent {
		udp, failed := net.ListenPacket("udp", address)
		if failed != nil {
			t.Fatal(failed)
		}
		if w.silent {
			t.Cleanup(func() { _ = udp.Close() })
		} else {
			cfg.PacketConnConfigs = []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: generator}}
		}
	}
	switch {
	case w.certificate != nil:
		secured := tls.NewListener(tcp, &tls.Config{Certificates: []tls.Certificate{*w.certificate}})
		cfg.ListenerConfigs = []turn.ListenerConfig{{Listener: secured, RelayAddressGenerator: generator}}
	case w.tcp:
		cfg.ListenerConfigs = []turn.ListenerConfig{{Listener: tcp, RelayAddressGenerator: generator}}
	default:
		_ = tcp.Close()
	}
	if len(cfg.PacketConnConfigs)+len(cfg.ListenerConfigs) == 0 {
		return address
	}
	server, err := turn.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return address
}

func TestTURN(t *testing.T) {
	certificate, trusted := certify(t, -day, day)
	nobody := nameServer(t, dnsmessage.RCodeNameError, false)
	type results map[string]string // by check: its outcome and words of its text
	for name, c := range map[string]struct {
		world turnWorld
		urls  string // AT stands for the server
		wrong bool   // credential
		roots *x509.CertPool
		want  results
	}{
		"all is well": {
			world: turnWorld{udp: true, tcp: true}, urls: "turn:AT turn:AT?transport=tcp",
			want: results{"credentials": "ok 2 TURN URLs", "stun": "ok no NAT", "turn udp": "ok a packet came through", "turn tcp": "ok a packet came through"},
		},
		"over TLS": {
			world: turnWorld{certificate: &certificate}, urls: "turns:AT?transport=tcp", roots: trusted,
			want: results{"turn tls": "ok a packet came through", "stun": "skipped names no server"},
		},
		"over TLS nobody trusts": {
			world: turnWorld{certificate: &certificate}, urls: "turns:AT?transport=tcp", roots: x509.NewCertPool(),
			want: results{"turn tls": "failed signed by nobody"},
		},
		"over DTLS": {
			world: turnWorld{}, urls: "turns:AT?transport=udp",
			want: results{"turn dtls": "skipped not looked at", "stun": "skipped names no server"},
		},
		"a wrong credential": {
			world: turnWorld{udp: true, tcp: true}, urls: "turn:AT turn:AT?transport=tcp", wrong: true,
			want: results{"stun": "ok no NAT", "turn udp": "failed refuses the credential (400)", "turn tcp": "failed refuses the credential (400)"},
		},
		"UDP is blocked": {
			world: turnWorld{silent: true, tcp: true}, urls: "turn:AT turn:AT?transport=tcp",
			want: results{"stun": "failed no answer over UDP from 1 server", "turn udp": "failed no answer", "turn tcp": "ok a packet came through"},
		},
		"UDP is refused": {
			world: turnWorld{tcp: true}, urls: "turn:AT turn:AT?transport=tcp",
			want: results{"turn udp": "failed nobody listens", "turn tcp": "ok a packet came through"},
		},
		"TCP is refused": {
			world: turnWorld{udp: true}, urls: "turn:AT turn:AT?transport=tcp",
			want: results{"turn udp": "ok a packet came through", "turn tcp": "failed nobody listens"},
		},
		"port 53": {
			world: turnWorld{udp: true}, urls: "turn:AT turn:127.0.0.1:53 stun:127.0.0.1:53",
			want: results{"credentials": "ok the relay names 1 TURN URL; 2 URLs of port 53 left out", "turn udp": "ok a packet came through"},
		},
		"a name of nobody": {
			world: turnWorld{}, urls: "turn:turn.invalid:3478",
			want: results{"turn udp": "failed turn.invalid:3478: there is no such name"},
		},
		"nonsense": {
			world: turnWorld{}, urls: "http://AT turn: turn:AT:x",
			want: results{"credentials": "failed names no TURN server", "turn": "skipped"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := c.world.start(t)
			offered := wire.ICEServer{URLs: strings.Fields(strings.ReplaceAll(c.urls, "AT", at)), Username: username, Credential: password}
			if c.wrong {
				offered.Credential = "wrong-hush"
			}
			got := examine(t, relay{token: token(t, day), servers: wire.ICEServers{Servers: []wire.ICEServer{offered}}}, func(cfg *Config) {
				cfg.roots, cfg.resolver = c.roots, nobody
			})
			for name, want := range c.want {
				outcome, text, _ := strings.Cut(want, " ")
				r := of(got, name)
				if string(r.Outcome) != outcome || !strings.Contains(r.Text, text) || (r.Outcome == Failed) != (r.Advice != "") {
					t.Errorf("%s: %+v", name, r)
				}
			}
		})
	}
}

// TestOneWay: a server that allocates and swallows packets is not a good one.
func TestOneWay(t *testing.T) {
	swallows, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer swallows.Close() //nolint:errcheck // nothing was said
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = through(ctx, elsewhere{swallows})
	if text, advice := turnFault(server{}, err); !strings.Contains(text, "does not pass packets on") || advice == "" {
		t.Errorf("%v: %s, %s", err, text, advice)
	}
}

// TestHangUp: a server that has said its last word is not waited for, even if it goes
// on to listen.
func TestHangUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer listener.Close() //nolint:errcheck // nothing was said
	serving.Go(func() {
		conn, failed := listener.Accept()
		if tcp, ok := conn.(*net.TCPConn); failed == nil && ok {
			_ = tcp.CloseWrite()
			_, _ = io.Copy(io.Discard, tcp)
			_ = tcp.Close()
		}
	})
	uri, err := stun.ParseURI("turn:" + listener.Addr().String() + "?transport=tcp")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), checkTime)
	defer cancel()
	if r := (&visit{}).turn(ctx, server{URI: uri}); r.Outcome != Failed || !strings.HasSuffix(r.Text, "the connection was cut") {
		t.Errorf("%+v", r)
	}
}

// elsewhere sends everything to a port where nobody is.
type elsewhere struct{ net.PacketConn }

func (e elsewhere) WriteTo(b []byte, _ net.Addr) (int, error) {
	return e.PacketConn.WriteTo(b, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
}

func TestKindOfNAT(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	seen := func(addresses ...string) (all []mapping) {
		for _, a := range addresses {
			all = append(all, mapping{seen: netip.MustParseAddrPort(a)})
		}
		return all
	}
	for _, c := range []struct {
		seen []mapping
		want string
	}{
		{seen("192.0.2.7:5000"), "192.0.2.7: no NAT"},
		{seen("192.0.2.7:5001"), "one server alone"}, // its own address, through something that changes ports
		{seen("198.51.100.1:5000"), "one server alone"},
		{seen("198.51.100.1:5000", "198.51.100.1:5000"), "direct paths are likely"},
		{seen("198.51.100.1:5000", "198.51.100.1:5001"), "symmetric"},
		{seen("198.51.100.1:5000", "198.51.100.1:5000", "198.51.100.2:5000"), "symmetric"},
	} {
		if r := natKind(c.seen, 5000, own); r.Outcome != OK || !strings.Contains(r.Text, c.want) || strings.Contains(r.Text, "symmetric") != (r.Advice != "") {
			t.Errorf("%v: %+v", c.seen, r)
		}
	}
}

func TestClockAhead(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	for _, c := range []struct {
		began, ended int // ms after noon here, when the clock there says noon, the second of it
		want         time.Duration
	}{
		{0, 10, 0},
		{990, 1010, 0},
		{-500, 100, 0},
		{-5000, -4000, 4 * time.Second},
		{4000, 4100, -3 * time.Second},
	} {
		if got := clockAhead(noon, at(c.began), at(c.ended)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
