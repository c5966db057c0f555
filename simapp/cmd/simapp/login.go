package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// maxPassword bounds the line that is read from standard input.
const maxPassword = 1024

// dialTimeout bounds the way to the relay, the login included.
const dialTimeout = 15 * time.Second

// account says who is asking.
type account struct {
	Relay         string `required:"" placeholder:"URL" help:"The relay: ws://HOST:PORT or wss://HOST."`
	Token         string `env:"SIMAPP_TOKEN" placeholder:"JWT" help:"The token of a login. Flags can be seen in the process list; the environment cannot."`
	Email         string `placeholder:"ADDRESS" help:"Log in with this address instead of a token."`
	PasswordStdin bool   `help:"Read the password of --email from standard input."`
}

// login returns the token.
func (c *account) login(ctx context.Context, stdin io.Reader) (string, error) {
	switch {
	case c.Email == "" && c.Token == "":
		return "", errors.New("nobody is logged in; set SIMAPP_TOKEN, or use --email and --password-stdin")
	case c.Email == "":
		return c.Token, nil
	case !c.PasswordStdin:
		return "", errors.New("--email needs --password-stdin, and the password on standard input")
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, maxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return simapp.Login(ctx, c.Relay, c.Email, strings.TrimRight(line, "\r\n"))
}

// dial logs in and connects. If the device that is meant is asked for and not
// named, it becomes the only one there is.
func (c *account) dial(ctx context.Context, a *app, device *wire.DeviceID, onMessage func(wire.Message)) (*simapp.Phone, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, errors.New("the relay cannot be reached"))
	defer cancel()
	token, err := c.login(ctx, a.stdin)
	if err == nil && device != nil {
		*device, err = choose(ctx, c.Relay, token, *device)
	}
	if err != nil {
		return nil, err
	}
	return simapp.Dial(ctx, simapp.Config{RelayURL: c.Relay, Token: token, OnMessage: onMessage, Log: a.log})
}

// choose returns the device that is meant: the one named, or the only one there is.
func choose(ctx context.Context, relay, token string, named wire.DeviceID) (wire.DeviceID, error) {
	if named != "" {
		if !named.Valid() {
			return "", fmt.Errorf("%q is no device; 1 to 64 of letters, digits, - and _", named)
		}
		return named, nil
	}
	devices, err := simapp.Devices(ctx, relay, token)
	switch {
	case err != nil:
		return "", err
	case len(devices) == 0:
		return "", errors.New("this account has no robot yet; pair one first")
	case len(devices) == 1:
		return devices[0].DeviceID, nil
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = string(d.DeviceID)
		if !d.Online {
			names[i] += " (offline)"
		}
	}
	return "", fmt.Errorf("this account has several robots; choose with --device: %s", strings.Join(names, ", "))
}
