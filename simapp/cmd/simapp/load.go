package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/load"
)

// loadCmd measures a relay.
type loadCmd struct {
	account `embed:""`

	Robots   string        `required:"" placeholder:"DIR" help:"Folder with the configurations of robots, *.yaml, as relay device add prints them."`
	Apps     int           `default:"10" placeholder:"N" help:"How many apps to connect. Default: ${default}."`
	Duration time.Duration `default:"30s" placeholder:"TIME" help:"How long to have sessions, once everybody is connected; an hour at most. Default: ${default}."`
	Rate     float64       `placeholder:"N" help:"Begin no more sessions than this in a second. Default: as many as the relay bears."`
	JSON     bool          `name:"json" help:"Print the figures as one JSON object."`
}

// Help is shown by simapp load --help.
func (*loadCmd) Help() string {
	return `Connects the robots and apps of one account and lets them signal, without video: each
app has one session after the other, with ten candidates both ways. Prints how long each
step of a session took and what went wrong; how far it is goes to standard error, once a
second. Ctrl-C ends it early: sessions are closed, and the figures so far are printed.
No more than 10000 robots and apps, and an hour.

The relay must run with LIMITS=off, or the limits are what is measured. Use no relay that
others need meanwhile. The robots are added by its operator, beside it.

Example:

    relay user add load@example.com
    mkdir robots
    for i in $(seq 100); do relay device add load_$i --owner load@example.com > robots/$i.yaml; done
    export SIMAPP_TOKEN=$(relay token load@example.com)
    simapp load --relay ws://127.0.0.1:8000 --robots robots --apps 20

Others:

    simapp load --relay ws://127.0.0.1:8000 --robots robots --apps 200 --rate 50 --duration 10m
    simapp load --relay ws://127.0.0.1:8000 --robots robots --json | jq .steps_ms.session.p99`
}

// Run measures and prints.
func (c *loadCmd) Run(ctx context.Context, a *app) error {
	robots, err := load.ReadRobots(c.Robots)
	if err != nil {
		return err
	}
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	report, err := load.Run(ctx, load.Config{
		RelayURL: c.Relay, Robots: robots, Token: token, Apps: c.Apps, For: c.Duration, Rate: c.Rate, Log: a.log,
		Progress: func(p load.Progress) { _, _ = fmt.Fprintln(a.stderr, progress(p)) },
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("stopped before everybody was connected")
	case err != nil:
		return explain(err)
	case c.JSON:
		return a.printJSON(report)
	default:
		return printLoad(a.stdout, report)
	}
}

// progress is how far it is, on one line.
func progress(p load.Progress) string {
	if p.For == 0 {
		return fmt.Sprintf("%d of %d connected", p.Connected, p.Ends)
	}
	return fmt.Sprintf("%s  %d sessions, %.1f/s  %d errors, %d connections lost",
		clock(p.For.Round(time.Second)), p.Sessions, float64(p.Sessions)/p.For.Seconds(), p.Errors, p.Lost)
}

// printLoad shows the figures.
func printLoad(w io.Writer, r load.Report) error {
	var err error
	line := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	line("%d robots and %d apps, %.1f s: %d sessions (%.1f/s), %.0f messages/s, %.0f connects/s",
		r.Robots, r.Apps, r.Seconds, r.Sessions, r.SessionsPer, r.MessagesPer, r.ConnectsPer)
	line("")
	line("  %-12s %10s %10s %10s %10s   ms", "step", "p50", "p95", "p99", "max")
	for _, step := range load.Steps() {
		s := r.Steps[step]
		line("  %-12s %10.1f %10.1f %10.1f %10.1f", step, s.P50, s.P95, s.P99, s.Max)
	}
	line("")
	if r.Lost == 0 && len(r.Errors) == 0 {
		line("nothing went wrong")
	}
	if r.Lost > 0 {
		line("%6d connections lost", r.Lost)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		line("%6d × %s", r.Errors[kind], kind)
	}
	if r.Errors[string(wire.CodeRateLimited)] > 0 {
		line("The relay limits what one account may do: these are figures of its limits. Start it with LIMITS=off.")
	}
	return err
}
