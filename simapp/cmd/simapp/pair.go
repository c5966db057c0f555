package main

import (
	"context"
	"fmt"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// pairCmd makes the account a robot's owner.
type pairCmd struct {
	account `embed:""`

	Code string `arg:"" help:"The code that the robot shows (robot pair)."`
}

// Help is shown by simapp pair --help.
func (*pairCmd) Help() string {
	return `The code may be typed in any case, with or without the dash. It works once.

Examples:

    simapp pair 7K3M-9QXD
    simapp pair 7k3m9qxd --relay ws://127.0.0.1:8000 --email you@example.com --password-stdin < password`
}

// Run pairs the robot.
func (c *pairCmd) Run(ctx context.Context, a *app) error {
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	device, err := simapp.PairDevice(ctx, c.Relay, token, c.Code)
	if err != nil {
		return explain(err)
	}
	_, err = fmt.Fprintf(a.stdout, "paired with %s\n", device)
	return err
}

// unpairCmd gives a robot up.
type unpairCmd struct {
	account `embed:""`

	Device wire.DeviceID `arg:"" name:"id" help:"The robot."`
}

// Help is shown by simapp unpair --help.
func (*unpairCmd) Help() string {
	return `The robot is nobody's then, and can be paired again. Whoever of this account is watching
it is disconnected.

Example:

    simapp unpair wimz_abc123`
}

// Run unpairs the robot.
func (c *unpairCmd) Run(ctx context.Context, a *app) error {
	token, err := c.login(ctx, a)
	if err != nil {
		return explain(err)
	}
	if c.Device, err = choose(ctx, c.Relay, token, c.Device); err != nil {
		return explain(err)
	}
	if err = simapp.UnpairDevice(ctx, c.Relay, token, c.Device); err != nil {
		return explain(err)
	}
	_, err = fmt.Fprintf(a.stdout, "unpaired %s\n", c.Device)
	return err
}
