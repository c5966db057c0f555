package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

// deviceAddCmd adds a robot.
type deviceAddCmd struct {
	relayAddress `embed:""`

	ID    wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot: 1 to 64 letters, digits, _ and -."`
	Owner string        `placeholder:"EMAIL" help:"Email address of its owner's account. Default: nobody yet, the robot is to be paired."`
}

// Help is shown by relay device add --help.
func (*deviceAddCmd) Help() string {
	return `Makes a secret for the robot and prints, this once, the robot's configuration.
Without an owner, whoever types the code that "robot pair" shows becomes it.

Examples:

    umask 077
    relay device add wimz_abc123 --owner you@example.com --relay-url wss://relay.example.com > robot.yaml
    relay device add wimz_abc123 --relay-url wss://relay.example.com > robot.yaml`
}

// Run adds the robot and prints its configuration.
func (c *deviceAddCmd) Run(ctx context.Context, a *app) error {
	if !c.ID.Valid() {
		return errors.New("the identifier of a robot has 1 to 64 letters, digits, _ and -: choose another")
	}
	relayURL, err := c.relayURL(&a.cfg)
	if err = a.check(err); err != nil {
		return err
	}
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		device, err := c.create(ctx, db)
		if err != nil {
			return err
		}
		return writeRobotConfig(a.stdout, relayURL, &device)
	})
}

func (c *deviceAddCmd) create(ctx context.Context, db *sqlstore.DB) (store.Device, error) {
	device := store.Device{ID: c.ID, Secret: auth.NewDeviceSecret(), CreatedAt: time.Now()}
	if c.Owner != "" {
		owner, err := findUser(ctx, db, c.Owner)
		if err != nil {
			return store.Device{}, err
		}
		device.Owner = owner.ID
	}
	err := db.CreateDevice(ctx, device)
	if errors.Is(err, store.ErrTaken) {
		return store.Device{}, fmt.Errorf("there is a robot %s already: choose another identifier", c.ID)
	}
	return device, err
}

// findUser returns the account with this email, or an error that says how to add it.
func findUser(ctx context.Context, db *sqlstore.DB, text string) (store.User, error) {
	email, err := auth.ParseEmail(text)
	if err != nil {
		return store.User{}, err
	}
	u, err := db.UserByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, fmt.Errorf("there is no user %s: add one with `relay user add %s`", email, email)
	}
	return u, err
}
