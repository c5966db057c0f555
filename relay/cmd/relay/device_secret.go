package main

import (
	"context"
	"errors"
	"fmt"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

// secretAddCmd gives a robot a second secret.
type secretAddCmd struct {
	relayAddress `embed:""`

	ID wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot."`
}

// Help is shown by relay device secret add --help.
func (*secretAddCmd) Help() string {
	return `Prints, this once, the robot's configuration with the new secret. The robot may connect
with either until the older one is dropped:

    umask 077
    relay device secret add wimz_abc123 --relay-url wss://relay.example.com > robot.yaml
    # put robot.yaml on the robot, restart it, see that it is online, then
    relay device secret drop wimz_abc123`
}

// Run adds the secret and prints the robot's configuration.
func (c *secretAddCmd) Run(ctx context.Context, a *app) error {
	relayURL, err := c.relayURL(&a.cfg)
	if err = a.check(err); err != nil {
		return err
	}
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		err := db.AddDeviceSecret(ctx, c.ID, auth.NewDeviceSecret())
		if errors.Is(err, store.ErrTaken) { // a third would void the one that the robot may still have
			return fmt.Errorf("robot %s has two secrets already: make sure that it uses the newer one, then `relay device secret drop %s`", c.ID, c.ID)
		}
		if err != nil {
			return noSuchRobot(err, c.ID)
		}
		device, err := db.Device(ctx, c.ID)
		if err != nil {
			return noSuchRobot(err, c.ID)
		}
		return writeRobotConfig(a.stdout, relayURL, &device)
	})
}

// secretDropCmd makes the older of two secrets useless.
type secretDropCmd struct {
	ID wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot."`
}

// Help is shown by relay device secret drop --help.
func (*secretDropCmd) Help() string {
	return `From its next connection on, the robot needs the newer secret.

Example:

    relay device secret drop wimz_abc123`
}

// Run drops the older secret. A robot that has only one keeps it.
func (c *secretDropCmd) Run(ctx context.Context, a *app) error {
	return a.change(ctx, func(db *sqlstore.DB) (string, error) {
		return fmt.Sprintf("robot %s has one secret now", c.ID), noSuchRobot(db.DropOldDeviceSecret(ctx, c.ID), c.ID)
	})
}
