package harness

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/fakecloudflare/turnserver"
	"wimz.dev/live/relay"
	"wimz.dev/live/robot"
)

// InProcess runs the programs as goroutines of this process.
type InProcess struct{}

func (InProcess) String() string { return "in process" }

// Relay implements [Backend].
func (InProcess) Relay(ctx context.Context, s RelaySettings, log io.Writer) (*Program, error) {
	cfg := relay.DefaultConfig()
	cfg.Listen, cfg.AdminListen = s.Listen, "127.0.0.1:0"
	cfg.DatabaseURL = relay.DatabaseURL(s.DatabaseURL)
	cfg.JWTSecret = relay.Secret(s.JWTSecret)
	cfg.TURNRequired = s.TURNRequired
	cfg.TURNRevokeLinger = s.Linger
	cfg.SessionGrace = s.Grace
	cfg.TURNCredentialTTL = s.TTL
	if s.Closed {
		cfg.Registration = "closed"
	}
	if s.CloudflareURL != "" {
		cfg.TURNBaseURL, cfg.TURNKeyID, cfg.TURNAPIToken = s.CloudflareURL, keyID, apiToken
	}
	if s.NoLimits {
		cfg.LimitMode = "off"
	}
	if s.RequestTime > 0 {
		cfg.HeaderTime, cfg.RequestTime = s.RequestTime, s.RequestTime
	}
	r, err := relay.New(ctx, cfg, logger(log, "relay", s.LogLevel))
	if err != nil {
		return nil, err
	}
	p := run(ctx, r.Addr(), r.Run)
	p.Admin = r.AdminAddr()
	return p, nil
}

// Robot implements [Backend].
func (InProcess) Robot(ctx context.Context, s RobotSettings, log io.Writer) (*Program, error) {
	cfg, err := robot.LoadConfig(s.ConfigFile)
	if err != nil {
		return nil, err
	}
	cfg.Status.Listen = "127.0.0.1:0"
	r, err := robot.New(cfg, logger(log, "robot", s.LogLevel))
	if err != nil {
		return nil, err
	}
	return run(ctx, r.Addr().String(), r.Run), nil
}

// Cloudflare implements [Backend].
func (InProcess) Cloudflare(ctx context.Context, s CloudflareSettings, log io.Writer) (*Program, error) {
	cfg := s.fake()
	cfg.Log = logger(log, "fakecloudflare", slog.LevelInfo)
	fake, err := fakecloudflare.New(cfg)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	closeTURN := func() error { return nil }
	if s.OwnTURN {
		if closeTURN, err = startTURN(fake, cfg); err != nil {
			return nil, err
		}
	}
	server := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second}
	serve := func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(err, closeTURN())
		}
		return closeTURN()
	}
	return run(ctx, listener.Addr().String(), serve), nil
}

// startTURN starts the fake's own TURN server.
func startTURN(fake *fakecloudflare.Server, cfg fakecloudflare.Config) (stop func() error, err error) {
	server, err := turnserver.Start(turnserver.Config{Secret: cfg.TURNSecret, Authorised: fake.Authorised, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	return server.Close, fake.AddICEURLs(server.URLs()...)
}

// run starts a program that is listening already.
func run(ctx context.Context, addr string, program func(context.Context) error) *Program {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	var cause error
	go func() {
		defer close(ended)
		cause = program(ctx)
	}()
	return &Program{Addr: addr, ended: ended, stop: func() error {
		cancel()
		<-ended
		return cause
	}}
}

func logger(to io.Writer, program string, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level})).With("program", program)
}
