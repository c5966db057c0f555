package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/supervise"
)

// configFlag is what all commands need.
type configFlag struct {
	Config string `required:"" placeholder:"FILE" help:"The robot's configuration, YAML."`
}

// runCmd runs the robot.
type runCmd struct {
	configFlag
	Listen    string `placeholder:"HOST:PORT" help:"Address of the status server; wins over the configuration. Port 0 takes a free one."`
	ReadyFile string `placeholder:"FILE" help:"Write the bound HOST:PORT to this file once the robot listens; it is removed at the end."`
	LogLevel  string `default:"info" enum:"debug,info,warn,error" help:"One of ${enum}."`
	LogFormat string `default:"text" enum:"text,json" help:"One of ${enum}."`
}

// Help is shown by robot run --help.
func (*runCmd) Help() string {
	return `Runs until SIGINT or SIGTERM; those who watch are told then. A lost relay is
dialled again for as long as it takes.

Examples:

    robot run --config robot.yaml
    robot run --config robot.yaml --listen 127.0.0.1:0 --ready-file /run/wimz/robot
    WIMZ_SECRET=… robot run --config robot.yaml --log-format json   # device_secret: ${WIMZ_SECRET}`
}

// Run runs until the context ends, which is no error.
func (c *runCmd) Run(ctx context.Context, out output) error {
	cfg, err := robot.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Status.Listen = c.Listen
	}
	log := logger(out.stderr, c.LogLevel, c.LogFormat)
	r, err := robot.New(cfg, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	remove, err := cli.Announce(c.ReadyFile, r.Addr().String())
	if err != nil {
		cancel() // Run then only cleans up
		return errors.Join(err, r.Run(ctx))
	}
	defer remove()
	log.InfoContext(ctx, "robot starts", "version", cli.Version(), "status", r.Addr().String())
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return r.Run(ctx) })
	work.Go(func() error { supervise.Run(ctx, r, log); return nil })
	return work.Wait()
}

// logger returns a logger as the flags want it.
func logger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the parser has checked it
	return cli.Logger(w, l, format)
}

// checkCmd looks at the configuration.
type checkCmd struct{ configFlag }

// Help is shown by robot config check --help.
func (*checkCmd) Help() string {
	return `Prints every setting in force, defaults included and secrets as ***, and ok; or
everything that is wrong, with exit status 1.`
}

// Run prints the settings if they are all right.
func (c *checkCmd) Run(out output) error {
	cfg, err := robot.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(cfg)
	if err == nil {
		_, err = fmt.Fprintf(out.stdout, "%s# ok\n", text)
	}
	return err
}
