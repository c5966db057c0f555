// Package admin serves the operator of a relay: metrics, profiles and health, on
// a listener of its own. It asks for no password, so it belongs on the loopback
// interface or on a network that only monitoring reaches.
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// Config is what is served.
type Config struct {
	Metrics http.Handler // answers /metrics
	Health  http.Handler // answers /health and /ready
	Log     *slog.Logger
}

// Server is the operator's listener. A nil Server is one that is switched off.
type Server struct {
	listener net.Listener
	http     http.Server
	abort    context.CancelFunc // ends requests under way: a profile takes half a minute
	served   chan error
}

// Listen listens on HOST:PORT; without an address it returns nil. Serve and then
// Close must follow.
func Listen(ctx context.Context, address string) (*Server, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin listener (set ADMIN_LISTEN to another address, or to off): %w", err)
	}
	return &Server{listener: listener, served: make(chan error, 1)}, nil
}

// Addr returns HOST:PORT, empty if the server is switched off.
func (s *Server) Addr() string {
	if s == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Serve begins to answer and returns at once. A listener that others can reach
// is worth a warning.
func (s *Server) Serve(ctx context.Context, cfg Config) {
	if s == nil {
		return
	}
	ctx, s.abort = context.WithCancel(context.WithoutCancel(ctx))
	s.http = http.Server{
		Handler:           handler(cfg),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute, // a profile or trace of a minute and a half
		IdleTimeout:       2 * time.Minute, // longer than between two scrapes
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	cfg.Log.InfoContext(ctx, "admin listens", "address", s.Addr())
	if !isLoopback(s.listener.Addr()) {
		cfg.Log.WarnContext(ctx, "ADMIN_LISTEN IS REACHABLE FROM OUTSIDE: metrics and profiles are served without "+
			"a password; use an address of this machine (127.0.0.1:9464), or let a firewall guard it", "address", s.Addr())
	}
	go func() { s.served <- s.http.Serve(s.listener) }()
}

// Close ends what is under way and returns when everything has ended; when ctx
// ends, by force.
func (s *Server) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.abort()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("admin requests did not end in time: %w", errors.Join(err, s.http.Close()))
	}
	if fault := <-s.served; !errors.Is(fault, http.ErrServerClosed) {
		err = errors.Join(err, fault)
	}
	return err
}

func handler(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", cfg.Metrics)
	mux.Handle("GET /health", cfg.Health)
	mux.Handle("GET /ready", cfg.Health)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
