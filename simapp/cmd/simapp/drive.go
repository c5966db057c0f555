package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// driveCmd drives one robot.
type driveCmd struct {
	account `embed:""`

	Device    wire.DeviceID `placeholder:"ID" help:"The robot. Default: the only one of the account."`
	Speed     float64       `default:"0.5" placeholder:"0.1…1" help:"How fast the keys drive; 1 is full speed. Default: ${default}."`
	RelayOnly bool          `help:"Use no other path than through a TURN server."`
}

// Help is shown by simapp drive --help.
func (*driveCmd) Help() string {
	return `On a terminal, t takes the wheel from whoever has it. Then the arrow keys or W, A, S and D drive: a
key drives for a quarter of a second, and on while it is held down. Space stops the robot, e is the
emergency stop, q leaves. Space and e need no wheel. Without a picture for a second, or a
connection for half a second, the robot stands.

Elsewhere it carries out the lines of standard input, one after the other, and then leaves. The
first motor line takes the wheel.

    motor LEFT RIGHT [TIME]   run the sides at -1 to 1 for a time, default 250ms, at most 10s
    wait TIME                 stand for a time, at most 10s
    stop
    emergency_stop

It ends with another status than 0 if a line makes no sense, or if the robot refuses one.

Examples:

    simapp drive
    simapp drive --device wimz_abc123 --speed 0.3
    printf 'motor 0.5 0.5 1s\nmotor 0.5 -0.5\nstop\n' | simapp drive`
}

// Validate refuses what cannot work before anything is asked.
func (c *driveCmd) Validate() error {
	if !(c.Speed >= 0.1 && c.Speed <= 1) { // nor is what is no number
		return errors.New("--speed is 0.1 to 1")
	}
	return nil
}

// Run drives until the user leaves, the lines end, or ctx does.
func (c *driveCmd) Run(ctx context.Context, a *app) error {
	keys := isTerminal(a.stdin)
	if keys && !drawable(a.stdout) {
		return errors.New("standard output is no terminal that can be drawn on; drive there, or give lines on standard input")
	}
	token, err := c.enter(ctx, a, &c.Device)
	if err != nil {
		return explain(err)
	}
	var s watcher
	defer s.leave()
	refusals := make(chan *simapp.RefusedError, 1)
	s.watch(ctx, &c.account, a, token, simapp.Options{Device: c.Device, RelayOnly: c.RelayOnly}, func(r *simapp.RefusedError) {
		select {
		case refusals <- r:
		default: // one is enough
		}
	})
	if s.refused != nil {
		return explain(s.refused)
	}
	if keys {
		err = c.byKeys(ctx, a, &s, refusals)
	} else {
		err = byLines(ctx, a.stdin, s.viewing, refusals)
	}
	if err != nil && s.viewing.Report().Frames == 0 {
		err = fmt.Errorf("%w: %w", errNoVideo, err)
	}
	return explain(err)
}

// ready returns when the robot can be seen and told.
func ready(ctx context.Context, v *simapp.Viewing) error {
	for _, step := range []<-chan struct{}{v.Live(), v.Controllable()} {
		select {
		case <-step:
		case <-v.Done():
			return v.Err()
		case <-time.After(channelTime):
			return errors.New("the robot's control channel did not open")
		case <-ctx.Done():
			return errStopped
		}
	}
	return nil
}

// channelTime is longer than a viewing waits for its first picture.
const channelTime = time.Minute
