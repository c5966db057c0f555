package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/fakecloudflare/turnserver"
	"wimz.dev/live/relay/cli"
)

// shutdownTimeout is what requests in flight get to finish.
const shutdownTimeout = 2 * time.Second

// run serves until the context ends, and returns nil then.
func run(ctx context.Context, opts options, log *slog.Logger) (err error) {
	if len(opts.ICEURLs) == 0 && opts.TURNListen == "" {
		return errors.New("give --ice-url or --turn-listen: there is no TURN server to hand out")
	}
	api, err := fakecloudflare.New(fakecloudflare.Config{
		KeyID: opts.KeyID, APIToken: opts.APIToken, TURNSecret: opts.TURNSecret,
		ICEURLs: opts.ICEURLs, Log: log,
	})
	if err != nil {
		return err
	}
	if opts.TURNListen != "" {
		relay, startErr := turnserver.Start(turnserver.Config{
			Listen: opts.TURNListen, Secret: opts.TURNSecret, Authorised: api.Authorised, Log: log,
		})
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, relay.Close()) }()
		if err = api.AddICEURLs(relay.URLs()...); err != nil {
			return err
		}
		log.InfoContext(ctx, "TURN server listening", "urls", relay.URLs())
	}
	return serve(ctx, api, opts, log)
}

// serve runs the HTTP side and announces its address.
func serve(ctx context.Context, api *fakecloudflare.Server, opts options, log *slog.Logger) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           api,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	log.InfoContext(ctx, "TURN key API listening", "address", listener.Addr().String())
	remove, err := cli.Announce(opts.ReadyFile, listener.Addr().String())
	if err == nil {
		defer remove()
		select {
		case err = <-ended:
			return fmt.Errorf("serving: %w", err)
		case <-ctx.Done():
		}
	}
	api.ClearFault() // lets hanging requests go
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	<-ended //nolint:errcheck // it says that the server was closed
	return err
}
