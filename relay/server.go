package relay

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"wimz.dev/live/relay/internal/certificate"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/limit"
)

// answerTime is how long an answer may take beyond its request: longer than the
// store, the TURN provider and a queue of logins together.
const answerTime = 20 * time.Second

// listenPublic opens the listener that robots and apps connect to: of TLS if there
// is a certificate, and of no more connections than allowed. The others wait in the
// kernel's queue.
func (r *Relay) listenPublic(ctx context.Context, cfg *Config) (net.Listener, error) {
	var files *certificate.Files
	var err error
	if cfg.TLS() {
		if files, err = certificate.Load(cfg.TLSCertFile, cfg.TLSKeyFile, r.log); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr())
	if err != nil {
		return nil, err
	}
	listener = limit.Listener(netutil.LimitListener(listener, cfg.Connections), cfg.LimitsInForce().ConnectionBytes)
	if files != nil {
		listener = tls.NewListener(listener, files.Config())
	}
	return listener, nil
}

// newServer returns the HTTP server. Who is slow is cut off: nobody holds a
// connection without getting a request through. Sockets have deadlines of their
// own (relay/internal/ws).
func (r *Relay) newServer(limits *config.Bounds) *http.Server {
	return &http.Server{
		Handler:           r.api,
		ReadHeaderTimeout: limits.HeaderTime, // and of the TLS handshake
		ReadTimeout:       limits.RequestTime,
		WriteTimeout:      limits.RequestTime + answerTime,
		IdleTimeout:       limits.IdleTime,
		MaxHeaderBytes:    limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
}
