package main

import (
	"context"
	"errors"

	"wimz.dev/live/relay"
	"wimz.dev/live/relay/cli"
)

// serveCmd runs the relay.
type serveCmd struct {
	ReadyFile      string `placeholder:"FILE" help:"Write the bound HOST:PORT to this file once the relay listens; it is removed at the end."`
	AdminReadyFile string `placeholder:"FILE" help:"Likewise, that of the admin listener. It is there before the other."`
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
	r, err := relay.New(ctx, a.cfg, cli.Logger(a.stderr, a.cfg.LogLevel, string(a.cfg.LogFormat)))
	if err != nil {
		return err
	}
	remove, err := c.announce(r)
	if err != nil {
		cancel() // Run then only cleans up
		return errors.Join(err, ended(r.Run(ctx)))
	}
	defer remove()
	return ended(r.Run(ctx))
}

// announce writes the ready files, and returns what removes them.
func (c *serveCmd) announce(r *relay.Relay) (func(), error) {
	removeAdmin, err := cli.Announce(c.AdminReadyFile, r.AdminAddr())
	if err != nil {
		return nil, err
	}
	remove, err := cli.Announce(c.ReadyFile, r.Addr())
	if err != nil {
		removeAdmin()
		return nil, err
	}
	return func() {
		remove()
		removeAdmin()
	}, nil
}

// ended makes the end of the context a good end.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
