package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"wimz.dev/live/relay"
	"wimz.dev/live/relay/internal/config"
)

// serveCmd runs the relay.
type serveCmd struct {
	ReadyFile string `placeholder:"FILE" help:"Write the bound HOST:PORT to this file once the relay listens; it is removed at the end."`
}

// Help is shown by relay serve --help.
func (*serveCmd) Help() string {
	return `Serves until SIGINT or SIGTERM. JWT_SECRET must be set, see .env.example.

Examples:

    relay serve
    relay serve --listen 127.0.0.1:0 --ready-file /run/wimz/addr
    LOG_FORMAT=json relay serve --log-level debug`
}

// Run serves until the context ends, which is no error.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(a.cfg.Validate()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := relay.New(ctx, a.cfg, newLogger(a.stderr, &a.cfg))
	if err != nil {
		return err
	}
	if c.ReadyFile != "" {
		if err := announce(c.ReadyFile, r.Addr()); err != nil {
			cancel() // Run then only cleans up
			return errors.Join(err, ended(r.Run(ctx)))
		}
		defer func() { _ = os.Remove(c.ReadyFile) }() // a stale one misleads; nothing more can be done
	}
	return ended(r.Run(ctx))
}

// ended makes the end of the context a good end.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// announce writes the address so that a reader sees all of it or no file.
func announce(name, addr string) error {
	temp, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err == nil {
		_, err = temp.WriteString(addr)
		err = errors.Join(err, temp.Close())
		if err == nil {
			err = os.Rename(temp.Name(), name)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write the ready file: %w", err)
	}
	return nil
}

// newLogger returns the logger that the configuration asks for.
func newLogger(w io.Writer, cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
