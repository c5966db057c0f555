// Package turnserver is a small TURN server (RFC 8656) for tests and
// demonstrations, made of pion/turn. It takes the credentials of package
// turnrest and, unlike coturn, asks on every request whether they are still
// good. As at Cloudflare, an allocation whose credential has expired or been
// revoked is cut off a moment later, whether it is refreshed or not.
//
// Loopback peers are allowed: do not expose it to a network.
package turnserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pion/turn/v5"

	"wimz.dev/live/fakecloudflare/turnrest"
	"wimz.dev/live/robot/rtc"
)

const (
	// realm is the long-term credential realm (RFC 8489 §9.2).
	realm = "wimz.test"
	// sweepInterval is how long an allocation may outlive its credential.
	sweepInterval = 500 * time.Millisecond
)

// Config of a [Server].
type Config struct {
	// Listen is "IP:PORT" for UDP and TCP alike; port 0 picks one. The default
	// is 127.0.0.1:0. Relayed transport addresses are on the same IP.
	Listen string
	// Secret is shared with whoever issues the credentials. Required.
	Secret string
	// Authorised is asked about each username beside the check of its expiry,
	// and may be called concurrently. Nil means that all are good.
	Authorised func(username string) bool
	// Log may be nil.
	Log *slog.Logger
}

// Server is a running TURN server.
type Server struct {
	cfg     Config
	server  *turn.Server
	sockets *sockets
	urls    []string
	stop    context.CancelFunc
	sweeper sync.WaitGroup
}

// Start opens the listeners and serves until [Server.Close].
func Start(cfg Config) (*Server, error) {
	if cfg.Secret == "" {
		return nil, errors.New("turnserver: Secret is required")
	}
	cfg = withDefaults(cfg)
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("turnserver: listen address: %w", err)
	}
	relayIP := net.ParseIP(host)
	if relayIP == nil {
		return nil, fmt.Errorf("turnserver: listen address %q is no IP address", host)
	}
	l, err := listen(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("turnserver: %w", err)
	}
	s := &Server{cfg: cfg, sockets: newSockets(), urls: l.urls()}
	if s.server, err = s.serve(l, &relays{ip: relayIP, sockets: s.sockets}); err != nil {
		l.close()
		return nil, fmt.Errorf("turnserver: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.sweeper.Go(func() { s.sweep(ctx) })
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Authorised == nil {
		cfg.Authorised = func(string) bool { return true }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// serve hands the listeners to pion, each wrapped so that Close can wait.
func (s *Server) serve(l *listeners, r *relays) (*turn.Server, error) {
	return turn.NewServer(turn.ServerConfig{
		Realm:       realm,
		AuthHandler: s.authenticate,
		PacketConnConfigs: []turn.PacketConnConfig{
			{PacketConn: s.sockets.packets(l.udp), RelayAddressGenerator: r},
		},
		ListenerConfigs: []turn.ListenerConfig{
			{Listener: s.sockets.listener(l.tcp), RelayAddressGenerator: r},
		},
		EventHandler:  s.sockets.events(),
		LoggerFactory: rtc.NewLoggerFactory(s.cfg.Log),
	})
}

// authenticate is asked by pion on every request. The user it returns is the
// whole username, so that a relay socket knows whose it is.
func (s *Server) authenticate(r *turn.RequestAttributes) (user string, key []byte, ok bool) {
	if !s.good(r.Username) {
		return "", nil, false
	}
	password := turnrest.Password(s.cfg.Secret, r.Username)
	return r.Username, turn.GenerateAuthKey(r.Username, r.Realm, password), true
}

func (s *Server) good(username string) bool {
	expiry, err := turnrest.Expiry(username)
	return err == nil && time.Now().Before(expiry) && s.cfg.Authorised(username)
}

// sweep cuts allocations whose credential has ended. Closing the relay socket
// makes pion drop the allocation.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, relay := range s.sockets.relays() {
				if !s.good(relay.username) {
					s.cfg.Log.InfoContext(ctx, "allocation cut: its credential has ended", "username", relay.username)
					_ = relay.Close()
				}
			}
		}
	}
}

// URLs names the server as ICE servers do (RFC 7065): over UDP and over TCP.
func (s *Server) URLs() []string { return s.urls }

// Allocations counts the allocations that are there now.
func (s *Server) Allocations() int { return s.server.AllocationCount() }

// Close ends every allocation and connection, and waits until nothing of the
// server runs any more. It may be called once.
func (s *Server) Close() error {
	s.stop()
	s.sweeper.Wait()
	err := s.server.Close()
	s.sockets.closeAndWait()
	return err
}
