package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/simapp/viewer"
)

// serveCmd serves the viewer page.
type serveCmd struct {
	relayFlag `embed:""`

	Listen        string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Listen here. Default: ${default}."`
	ReadyFile     string `placeholder:"FILE" help:"Write the bound HOST:PORT to this file once the page is served; it is removed at the end."`
	OpenLoginFile string `placeholder:"FILE" help:"Sign visitors of this machine in with the token in this file, which is read anew each time."`

	DemoToken string `hidden:"" env:"SIMAPP_DEMO_TOKEN"`
}

// Help is shown by simapp serve --help.
func (*serveCmd) Help() string {
	return `Serves until SIGINT or SIGTERM. Visitors log in with their account. With a token in
SIMAPP_DEMO_TOKEN or in the file of --open-login-file, visitors on this machine are signed in
with it and see video at once; the address has no secret in it.

Examples:

    simapp serve --relay ws://127.0.0.1:8000
    simapp serve --relay wss://relay.example.com --listen 127.0.0.1:0 --ready-file /tmp/viewer`
}

// Run serves until ctx ends, which is no error.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	cfg := viewer.Config{RelayURL: c.Relay, DemoToken: c.demoToken(), Log: a.log}
	if _, err := viewer.Handler(cfg); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	address := listener.Addr().String()
	remove, err := cli.Announce(c.ReadyFile, address)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer remove()
	_, _ = fmt.Fprintf(a.stdout, "Open http://%s in a browser. Ctrl-C ends.\n", address)
	return viewer.Serve(ctx, listener, cfg)
}

// demoToken returns how to sign visitors in, nil if they have to log in.
func (c *serveCmd) demoToken() func() (string, error) {
	switch {
	case c.OpenLoginFile != "":
		return func() (string, error) {
			data, err := os.ReadFile(c.OpenLoginFile)
			token := strings.TrimSpace(string(data))
			if err == nil && token == "" {
				err = errors.New("the login file is empty")
			}
			return token, err
		}
	case c.DemoToken != "":
		return func() (string, error) { return c.DemoToken, nil }
	default:
		return nil
	}
}
