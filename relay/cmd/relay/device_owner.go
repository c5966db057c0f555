package main

import (
	"context"
	"errors"
	"fmt"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

// deviceRemoveCmd removes a robot.
type deviceRemoveCmd struct {
	ID wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot."`
}

// Help is shown by relay device remove --help.
func (*deviceRemoveCmd) Help() string {
	return `The robot's secrets are void, and its owner can no longer watch it.

Example:

    relay device remove wimz_abc123`
}

// Run removes the robot.
func (c *deviceRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.change(ctx, func(db *sqlstore.DB) (string, error) {
		return "removed robot " + string(c.ID), noSuchRobot(db.DeleteDevice(ctx, c.ID), c.ID)
	})
}

// deviceTransferCmd gives a robot another owner.
type deviceTransferCmd struct {
	ID       wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot."`
	To       string        `placeholder:"EMAIL" required:"" xor:"to" help:"Email address of its new owner's account."`
	ToNobody bool          `required:"" xor:"to" help:"Let it be paired again."`
}

// Help is shown by relay device transfer --help.
func (*deviceTransferCmd) Help() string {
	return `The owner before can no longer watch the robot. The robot notices nothing.

Examples:

    relay device transfer wimz_abc123 --to friend@example.com
    relay device transfer wimz_abc123 --to-nobody`
}

// Run transfers the robot.
func (c *deviceTransferCmd) Run(ctx context.Context, a *app) error {
	return a.change(ctx, func(db *sqlstore.DB) (string, error) {
		to, whose := store.User{}, "nobody's, and can be paired"
		if !c.ToNobody {
			var err error
			if to, err = findUser(ctx, db, c.To); err != nil {
				return "", err
			}
			whose = "owned by " + to.Email
		}
		return fmt.Sprintf("robot %s is now %s", c.ID, whose), noSuchRobot(db.TransferDevice(ctx, c.ID, to.ID), c.ID)
	})
}

// noSuchRobot says what to do when the store knows no such robot.
func noSuchRobot(err error, id wire.DeviceID) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no robot %q: see `relay device list`", string(id))
	}
	return err
}
