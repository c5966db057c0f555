package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/term"

	"wimz.dev/live/simapp"
)

// signin is what login and register have in common.
type signin struct {
	relayFlag `embed:""`

	Email         string `placeholder:"ADDRESS" help:"The account. Default: as the last time, or asked on the terminal."`
	PasswordStdin bool   `help:"Read the password from standard input, instead of asking on the terminal."`
}

// loginCmd keeps a login for the other commands.
type loginCmd struct {
	signin `embed:""`
}

// Help is shown by simapp login --help.
func (*loginCmd) Help() string {
	return `Keeps the login in the folder of your settings (on Linux ~/.config/simapp), where only you can
read it, and the other commands use it until simapp logout. The password is not kept. What uses
the login refreshes it when it comes near its end, after a day.

Examples:

    simapp login --relay wss://relay.example.com
    simapp login --relay ws://127.0.0.1:8000 --email you@example.com --password-stdin < password`
}

// Run logs in.
func (c *loginCmd) Run(ctx context.Context, a *app) error {
	return c.sign(ctx, a, "logged in", simapp.Login)
}

// registerCmd opens an account.
type registerCmd struct {
	signin `embed:""`
}

// Help is shown by simapp register --help.
func (*registerCmd) Help() string {
	return `Opens an account and logs in with it, if the relay lets everybody do so.

Example:

    simapp register --relay wss://relay.example.com --email you@example.com`
}

// Run registers.
func (c *registerCmd) Run(ctx context.Context, a *app) error {
	return c.sign(ctx, a, "registered, and logged in", simapp.Register)
}

type obtain func(ctx context.Context, baseURL, email, password string) (token string, err error)

func (c *signin) sign(ctx context.Context, a *app, done string, token obtain) error {
	k := kept{Relay: c.Relay, Email: c.Email}
	err := canKeep()
	if err != nil {
		return err
	}
	if k.Email == "" {
		if k.Email, err = c.who(ctx, a); err != nil {
			return err
		}
	}
	password, err := a.password(ctx, k.Email, c.PasswordStdin)
	if err != nil {
		return err
	}
	if k.Token, err = token(ctx, k.Relay, k.Email, password); err != nil {
		return explain(err)
	}
	if err = k.write(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s at %s as %s\n", done, k.Relay, k.Email)
	return err
}

// who returns whose login it was, or asks.
func (c *signin) who(ctx context.Context, a *app) (string, error) {
	if last, err := readKept(); err == nil && last.isFor(c.Relay) && last.Email != "" {
		return last.Email, nil
	}
	if c.PasswordStdin {
		return "", errors.New("whose password is it? Use --email")
	}
	email, err := a.ask(ctx, "E-mail address: ", func(t *term.Terminal, prompt string) (string, error) {
		t.SetPrompt(prompt)
		return t.ReadLine()
	})
	return strings.TrimSpace(email), err
}

// logoutCmd ends the kept login.
type logoutCmd struct{}

// Help is shown by simapp logout --help.
func (*logoutCmd) Help() string {
	return `Voids the login at the relay, which ends what uses it, and forgets it here. If the relay does
not answer it is forgotten all the same, with status 7.

Example:

    simapp logout`
}

// Run logs out.
func (*logoutCmd) Run(ctx context.Context, a *app) error {
	k, err := readKept()
	if err == nil && k.Token == "" {
		return errNobody
	}
	if err != nil {
		return errors.Join(err, removeKept())
	}
	said := simapp.Logout(ctx, k.Relay, k.Token)
	if err = removeKept(); err != nil {
		return errors.Join(explain(said), err)
	}
	refused := (*simapp.APIError)(nil)
	void := errors.As(said, &refused) && refused.Status == http.StatusUnauthorized
	if said != nil && !void {
		return fmt.Errorf("%w; the login is forgotten here, but good until its end", said)
	}
	_, err = fmt.Fprintf(a.stdout, "logged out at %s\n", k.Relay)
	return err
}
