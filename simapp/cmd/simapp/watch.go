package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// watchCmd watches one robot.
type watchCmd struct {
	account `embed:""`

	Device    wire.DeviceID `placeholder:"ID" help:"The robot. Default: the only one of the account."`
	For       time.Duration `placeholder:"10s" help:"How long, from the first picture. Default: until Ctrl-C."`
	Codec     string        `enum:"h264,vp8," default:"" placeholder:"h264|vp8" help:"Accept this codec only."`
	RelayOnly bool          `help:"Use no other path than through a TURN server."`
	Snapshot  string        `placeholder:"FILE.png" help:"Write the last picture to this file."`
	JSON      bool          `help:"Print nothing but JSON: the figures every second, the last line is the report."`
}

// Help is shown by simapp watch --help.
func (*watchCmd) Help() string {
	return `Ends with status 0 if at least one picture was decoded, with 1 if none was.

Examples:

    simapp watch --relay ws://127.0.0.1:8000 --device wimz_abc123
    simapp watch --relay wss://relay.example.com --for 10s --json | tail -1
    simapp watch --relay ws://127.0.0.1:8000 --relay-only --snapshot robot.png --for 5s`
}

// Run watches until the time is over or ctx ends.
func (c *watchCmd) Run(ctx context.Context, a *app) error {
	phone, err := c.dial(ctx, a, &c.Device, nil)
	if err != nil {
		return explain(err)
	}
	defer phone.Close()
	screen := newScreen(a.stdout, c.Device, c.JSON)
	var last newest
	viewing, err := phone.Watch(ctx, c.options(&last))
	if err != nil {
		return explain(err)
	}
	end := c.follow(ctx, viewing, screen)
	viewing.Close()
	final := viewing.Report()
	if err := screen.close(final); err != nil {
		return err
	}
	switch {
	case final.Frames == 0:
		return explain(end)
	case end != nil:
		_, _ = fmt.Fprintf(a.stderr, "simapp: the video ended early: %v\n", explain(end))
	}
	if c.Snapshot != "" {
		return last.save(c.Snapshot)
	}
	return nil
}

func (c *watchCmd) options(last *newest) simapp.Options {
	o := simapp.Options{Device: c.Device, Codec: c.Codec, RelayOnly: c.RelayOnly}
	if c.Snapshot != "" {
		o.OnPicture = last.keep
	}
	return o
}

// follow shows the viewing until it ends, by itself (then it returns why), by
// ctx, or because the time is over.
func (c *watchCmd) follow(ctx context.Context, v *simapp.Viewing, screen *screen) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var over <-chan time.Time
	live := v.Live()
	for {
		select {
		case <-tick.C:
			screen.show(v.Report())
		case <-live:
			live = nil
			if c.For > 0 {
				over = time.After(c.For)
			}
		case <-over:
			return nil
		case <-v.Done():
			return v.Err()
		case <-ctx.Done():
			if isLive(v) {
				return nil
			}
			return errors.New("stopped before the first picture")
		}
	}
}

func isLive(v *simapp.Viewing) bool {
	select {
	case <-v.Live():
		return true
	default:
		return false
	}
}
