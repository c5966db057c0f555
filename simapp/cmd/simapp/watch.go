package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/record"
)

// maxViewers bounds how often one command watches.
const maxViewers = 8

// watchCmd watches one robot.
type watchCmd struct {
	account `embed:""`

	Device    wire.DeviceID `placeholder:"ID" help:"The robot. Default: the only one of the account."`
	For       time.Duration `placeholder:"10s" help:"How long, from the first picture. Default: until Ctrl-C."`
	Codec     string        `enum:"h264,vp8," default:"" placeholder:"h264|vp8" help:"Accept this codec only."`
	RelayOnly bool          `help:"Use no other path than through a TURN server."`
	Viewers   int           `default:"1" placeholder:"N" help:"Watch so many times at once, up to 8."`
	Snapshot  string        `placeholder:"FILE.png" help:"Write the last picture to this file."`
	Record    string        `placeholder:"FILE" help:"Write the video as it comes to this file: .mkv, .ivf (VP8) or .h264."`
	JSON      bool          `help:"Print nothing but JSON: the figures every second, the last line is the report."`
}

// Help is shown by simapp watch --help.
func (*watchCmd) Help() string {
	return `Shows on a terminal how the video does: curves of the last minute, how long the first picture
took, which way it comes, and what the robot says of the link. Elsewhere it prints a line every
second, and JSON with --json. Ctrl-C ends it. The status is 0 if a picture was decoded; with
--viewers it is 0 if each viewer had one, and each has its own line.

A recording is not coded anew: it begins with the first key picture and leaves out what is lost. In
.mkv and .ivf each picture has the time at which it was taken; .h264 has no times, and players
assume some. When the robot changes the size of the picture it changes in the recording, too;
ffmpeg, VLC and mpv follow, and the end says so. No file is replaced.

Examples:

    simapp watch
    simapp watch --device wimz_abc123 --record walk.mkv
    simapp watch --for 10s --json | tail -1
    simapp watch --relay ws://127.0.0.1:8000 --relay-only --snapshot robot.png --for 5s
    simapp watch --viewers 3 --for 20s`
}

// Validate refuses what cannot work before anything is asked.
func (c *watchCmd) Validate() error {
	switch {
	case c.Viewers < 1 || c.Viewers > maxViewers:
		return fmt.Errorf("--viewers is 1 to %d", maxViewers)
	case c.For < 0:
		return errors.New("--for is a time from the first picture on; it cannot be negative")
	case c.Record == "":
		return nil
	}
	codec, err := record.Codec(c.Record)
	if err != nil {
		return err
	}
	if codec != "" && c.Codec != "" && codec != c.Codec {
		return fmt.Errorf("--record %s needs %s, not --codec %s; .mkv holds both", c.Record, codec, c.Codec)
	}
	if c.Codec == "" {
		c.Codec = codec
	}
	return nil
}

// Run watches until the time is over or ctx ends.
func (c *watchCmd) Run(ctx context.Context, a *app) (err error) {
	token, err := c.enter(ctx, a, &c.Device)
	if err != nil {
		return explain(err)
	}
	keep, err := openKeeper(c.Record, c.Snapshot)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keep.close(a)) }()
	var viewers watchers
	defer viewers.leave()
	for number := range c.Viewers {
		viewers.add(ctx, c, a, token, number+1, keep)
	}
	if err := viewers.refused(); err != nil {
		return err
	}
	screen := newScreen(a, c.Device)
	if screen.json = c.JSON; c.JSON || a.verbose { // what is logged matters more
		screen.display = nil
	}
	if err := viewers.follow(ctx, c.For, screen, keep); err != nil {
		return err
	}
	viewers.leave()
	views := viewers.views()
	if err := screen.report(views); err != nil {
		return err
	}
	return viewers.outcome(a, views)
}
