package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// sendCmd sends one command.
type sendCmd struct {
	account `embed:""`

	Command string        `arg:"" help:"What to do, in the words of the robot's software."`
	Data    string        `placeholder:"JSON" help:"An object that says more."`
	Device  wire.DeviceID `placeholder:"ID" help:"The robot. Default: the only one of the account."`
}

// Help is shown by simapp send --help.
func (*sendCmd) Help() string {
	return `Ends with status 0 if the relay has passed the command on to the robot, with another if it has
not, and why. What the robot makes of it its events say: see simapp events.

Examples:

    simapp send dispense_treat
    simapp send set_mode --data '{"mode":"idle"}' --device wimz_abc123`
}

// Run sends the command.
func (c *sendCmd) Run(ctx context.Context, a *app) error {
	token, err := c.enter(ctx, a, &c.Device)
	if err != nil {
		return explain(err)
	}
	phone, err := c.connect(ctx, a, token, nil)
	if err != nil {
		return explain(err)
	}
	defer phone.Close()
	err = phone.Command(ctx, simapp.Command{Device: c.Device, Name: c.Command, Data: json.RawMessage(c.Data)})
	if bad := (*wire.BadMessageError)(nil); errors.As(err, &bad) {
		return fmt.Errorf("%w; see simapp send --help", err)
	}
	if err != nil {
		return explain(err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s was passed on to %s\n", c.Command, c.Device)
	return err
}
