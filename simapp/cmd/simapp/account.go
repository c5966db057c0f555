package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// dialTimeout bounds a step on the way to the relay, once it is known who asks.
const dialTimeout = 15 * time.Second

// relayFlag says which relay is meant.
type relayFlag struct {
	Relay string `env:"SIMAPP_RELAY" placeholder:"URL" help:"The relay: ws://HOST:PORT or wss://HOST. Default: where simapp login was."`
}

// AfterApply takes the relay of the kept login if none is named.
func (f *relayFlag) AfterApply() error {
	if f.Relay != "" {
		return nil
	}
	k, err := readKept()
	if err != nil {
		return err
	}
	if k.Relay == "" {
		return errors.New("which relay? Use --relay, set SIMAPP_RELAY, or run simapp login")
	}
	f.Relay = k.Relay
	return nil
}

// account says who is asking: by flags, else by the environment, else whoever
// simapp login has signed in.
type account struct {
	relayFlag `embed:""`

	Token         string `env:"SIMAPP_TOKEN" placeholder:"JWT" help:"The token of a login. Flags can be seen in the process list; the environment cannot."`
	Email         string `placeholder:"ADDRESS" help:"Log in with this address for this once."`
	PasswordStdin bool   `help:"Read the password of --email from standard input, instead of asking on the terminal."`
}

// login returns the token.
func (c *account) login(ctx context.Context, a *app) (string, error) {
	switch {
	case c.Email != "":
		password, err := a.password(ctx, c.Email, c.PasswordStdin)
		if err != nil {
			return "", err
		}
		return simapp.Login(ctx, c.Relay, c.Email, password)
	case c.Token != "":
		return c.Token, nil
	default:
		return c.keptLogin(ctx, a)
	}
}

// keptLogin returns the token that simapp login has kept, or a fresh one if little
// is left of it. It goes to no other relay.
func (c *account) keptLogin(ctx context.Context, a *app) (string, error) {
	k, err := readKept()
	switch {
	case err != nil:
		return "", err
	case k.Token == "":
		return "", errNobody
	case !k.isFor(c.Relay):
		return "", fmt.Errorf("%w: the login is at another relay, %s", errNobody, k.Relay)
	}
	left, whole, known := k.life(time.Now())
	switch {
	case !known || left > whole/4:
		return k.Token, nil
	case left <= 0:
		return "", errExpired
	}
	fresh, err := simapp.Refresh(ctx, c.Relay, k.Token)
	if err != nil {
		a.log.WarnContext(ctx, "the login ends soon and was not refreshed", "left", left, "error", err)
		return k.Token, nil
	}
	k.Token = fresh
	if err = k.write(); err != nil {
		a.log.WarnContext(ctx, "the fresh login is not kept", "error", err)
	}
	return fresh, nil
}

// enter logs in. If the device that is meant is not named, it becomes the only one
// there is.
func (c *account) enter(ctx context.Context, a *app, device *wire.DeviceID) (token string, err error) {
	if token, err = c.login(ctx, a); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, errUnreachable)
	defer cancel()
	*device, err = choose(ctx, c.Relay, token, *device)
	return token, err
}

// connect opens a socket at the relay. With the kept login it outlives its token.
func (c *account) connect(ctx context.Context, a *app, token string, onMessage func(wire.Message)) (*simapp.Phone, error) {
	dialing, cancel := context.WithTimeoutCause(ctx, dialTimeout, errUnreachable)
	defer cancel()
	phone, err := simapp.Dial(dialing, simapp.Config{RelayURL: c.Relay, Token: token, OnMessage: onMessage, Log: a.log})
	if err == nil && c.Email == "" && c.Token == "" {
		a.running.Go(func() { c.renew(ctx, a, phone) })
	}
	return phone, err
}

// renewEvery is how long to wait after a login could not be refreshed.
const renewEvery = time.Minute

// renewable is what renew needs of a phone.
type renewable interface {
	Renew(token string) error
	Done() <-chan struct{}
}

// renew gives a phone the fresh tokens of the kept login, until the phone or ctx
// ends. If there is none in time the relay ends the phone.
func (c *account) renew(ctx context.Context, a *app, phone renewable) {
	for {
		k, err := readKept()
		left, whole, known := k.life(time.Now())
		if err != nil || !known {
			return
		}
		wait := time.NewTimer(max(left-whole/4, renewEvery))
		select {
		case <-wait.C:
		case <-phone.Done():
			wait.Stop()
			return
		case <-ctx.Done():
			wait.Stop()
			return
		}
		token, err := c.keptLogin(ctx, a)
		if err == nil {
			err = phone.Renew(token)
		}
		if err != nil {
			a.log.DebugContext(ctx, "the login was not renewed", "error", err)
		}
	}
}
