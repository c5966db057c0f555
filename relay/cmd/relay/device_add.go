package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

// deviceAddCmd adds a robot.
type deviceAddCmd struct {
	ID       wire.DeviceID `arg:"" name:"id" help:"Identifier of the robot: 1 to 64 letters, digits, _ and -."`
	Owner    string        `required:"" placeholder:"EMAIL" help:"Email address of its owner's account."`
	RelayURL string        `name:"relay-url" placeholder:"URL" help:"Where the robot reaches the relay, ws:// or wss://. Default: made from the relay's host and port."`
}

// Help is shown by relay device add --help.
func (*deviceAddCmd) Help() string {
	return `Makes a secret for the robot and prints, this once, the robot's configuration.

Example:

    umask 077
    relay device add wimz_abc123 --owner you@example.com --relay-url wss://relay.example.com > robot.yaml`
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
		var yaml bytes.Buffer
		if err = writeRobotConfig(&yaml, relayURL, &device); err != nil {
			return err
		}
		_, err = yaml.WriteTo(a.stdout)
		return err
	})
}

func (c *deviceAddCmd) create(ctx context.Context, db *sqlstore.DB) (store.Device, error) {
	owner, err := findUser(ctx, db, c.Owner)
	if err != nil {
		return store.Device{}, err
	}
	device := store.Device{ID: c.ID, Secret: auth.NewDeviceSecret(), Owner: owner.ID, CreatedAt: time.Now()}
	err = db.CreateDevice(ctx, device)
	if errors.Is(err, store.ErrTaken) {
		return store.Device{}, fmt.Errorf("there is a robot %s already: choose another identifier", c.ID)
	}
	return device, err
}

// relayURL returns the URL from the flag, or one made of the address the relay
// listens on; every interface becomes localhost.
func (c *deviceAddCmd) relayURL(cfg *config.Config) (string, error) {
	if c.RelayURL != "" {
		u, err := url.Parse(c.RelayURL)
		if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" || u.User != nil {
			return "", errors.New("--relay-url: is not a ws:// or wss:// URL: use for example wss://relay.example.com")
		}
		return c.RelayURL, nil
	}
	host, port, err := net.SplitHostPort(cfg.Addr())
	if err != nil || port == "0" {
		return "", errors.New("the relay has no fixed port: say where the robot reaches it with --relay-url")
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return "ws://" + net.JoinHostPort(host, port), nil
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
