// Package relay is the cloud side of WIM-Z live video: apps and robots connect
// to it to find each other, and to exchange what a WebRTC session needs. Media
// never passes through it.
//
// This file is the wiring. A session is followed from here into
// internal/httpapi (authentication, upgrade), internal/hub (what the sockets
// say) and internal/session (what happens next).
package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/admin"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/httpapi"
	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/metrics"
	"wimz.dev/live/relay/internal/revoke"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/turn"
)

// publicSTUN is offered when there is no TURN provider, or it is down.
const publicSTUN = "stun:stun.cloudflare.com:3478"

// Config says how a relay runs; see [DefaultConfig].
type Config = config.Config

// Secret is a string that prints as ***.
type Secret = config.Secret

// DatabaseURL is a string that prints without the password in it.
type DatabaseURL = config.DatabaseURL

// DefaultConfig returns every default. JWTSecret has none.
func DefaultConfig() Config { return config.Default() }

// Relay is one relay process. New makes it, Run serves until told to stop.
type Relay struct {
	log        *slog.Logger
	store      store.Store
	metrics    *metrics.Metrics
	listener   net.Listener
	admin      *admin.Server
	cloudflare *turn.Cloudflare // nil with another provider
	pool       *turn.Pool
	sessions   *session.Service
	hub        *hub.Hub
	api        *httpapi.API
	since      int64 // the newest revocation when the relay was made
	revoked    *revoke.Follower
	server     *http.Server
	closing    context.CancelFunc // tells the sockets
	ended      context.CancelFunc // ends the sessions
}

// New checks the configuration, opens the store and listens. Run must follow.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Relay, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Relay{log: log, metrics: metrics.New(cli.Version())}
	if cfg.LimitMode == config.LimitsOff {
		log.WarnContext(ctx, "LIMITS=off: NOBODY IS HELD BACK. This is for load tests, never for the internet")
	}
	if err := r.open(ctx, &cfg); err != nil {
		return nil, err
	}
	closing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.closing = cancel
	living, ended := context.WithCancel(context.WithoutCancel(ctx))
	r.ended = ended
	messages, limits := bus.NewMemory(), cfg.LimitsInForce()
	r.sessions = session.NewService(living, session.Config{
		Bus: messages, Owners: r.store, Credentials: r.pool,
		TURNRequired: cfg.TURNRequired, FallbackSTUN: []string{publicSTUN}, Grace: cfg.SessionGrace, Limits: limits.Quotas,
		TicketKeys: ticketKeys(&cfg), Meter: r.metrics.Sessions, Log: log,
	})
	tokens := auth.NewTokens(cfg.JWTSecret, auth.TokenLifetime, time.Now)
	guard := auth.NewGuard(tokens, r.store)
	r.hub = hub.New(hub.Config{
		Bus: messages, Sessions: r.sessions, Owners: r.store, Devices: r.store, Guard: guard,
		Limits: limits.Quotas, Meter: r.metrics.Sockets, Log: log,
	})
	r.revoked = revoke.New(r.since, revoke.Config{
		Log: r.store, Sessions: r.sessions, Sockets: r.hub, Credentials: r.pool, Logger: log,
	})
	publicURL, _ := cfg.PublicSocketURL() // Validate has seen the errors
	proxies, _ := cfg.Proxies()
	r.api = httpapi.New(httpapi.Config{
		Store:    r.store,
		Accounts: auth.NewAccounts(r.store, auth.NewPasswords(limits.LoginsAtOnce, limits.LoginsWaiting), time.Now),
		Tokens:   tokens,
		Guard:    guard,
		Devices:  auth.NewDevices(r.store, cfg.DeviceStaticSignatures, time.Now),
		Bus:      messages, Hub: r.hub, TURN: r.minter(&cfg),
		PublicURL: publicURL, PairingCodeTTL: cfg.PairingCodeTTL,
		AllowedOrigins: cfg.AllowedOrigins, Proxies: proxies, Limits: limits,
		Stats: r.Stats, Meter: r.metrics.Requests, Closing: closing, Log: log,
		Registration: cfg.Registration, Revoked: r.revoked.Poke,
	})
	r.server = r.newServer(&limits.Bounds)
	return r, nil
}

// open gets hold of everything that can fail.
func (r *Relay) open(ctx context.Context, cfg *Config) (err error) {
	db, err := sqlstore.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	r.store = r.metrics.Store(db)
	if r.since, err = r.store.LastRevocation(ctx); err == nil {
		err = r.openTURN(ctx, cfg)
	}
	if err == nil {
		err = r.listen(ctx, cfg)
	}
	if err != nil {
		return errors.Join(err, r.store.Close())
	}
	return nil
}

func (r *Relay) listen(ctx context.Context, cfg *Config) (err error) {
	if r.listener, err = r.listenPublic(ctx, cfg); err != nil {
		return err
	}
	if r.admin, err = admin.Listen(ctx, cfg.AdminAddr()); err != nil {
		return errors.Join(err, r.listener.Close())
	}
	return nil
}

// Addr returns the address the relay listens on.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// AdminAddr returns the address of the admin listener, empty if there is none.
func (r *Relay) AdminAddr() string { return r.admin.Addr() }

// Stats counts what the relay holds.
func (r *Relay) Stats() map[string]int {
	return map[string]int{
		"sessions": r.sessions.Count(), "apps": r.hub.Apps(), "robots": r.hub.Robots(),
		"goroutines": runtime.NumGoroutine(),
	}
}

// Run serves until ctx ends. Sockets are then told to come back, and everything
// the relay started has ended when Run returns. Media between apps and robots
// flows on.
func (r *Relay) Run(ctx context.Context) error {
	following, unfollow := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { r.revoked.Run(following) })
	background.Go(func() { r.hub.NoteDepartures(following) })
	served := make(chan error, 1)
	background.Go(func() { served <- r.server.Serve(r.listener) })
	r.admin.Serve(ctx, admin.Config{Metrics: r.metrics.Handler(), Health: r.api, Log: r.log})
	r.log.InfoContext(ctx, "relay listens", "address", r.Addr())

	var fault error
	select {
	case fault = <-served:
	case <-ctx.Done():
	}
	unfollow()
	return errors.Join(fault, r.stop(context.WithoutCancel(ctx), background.Wait))
}
