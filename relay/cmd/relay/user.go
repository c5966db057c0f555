package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// newPassword is how commands that set a password come by it.
type newPassword struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input instead of asking for it."`
}

func (p *newPassword) read(ctx context.Context, a *app) (string, error) {
	if p.PasswordStdin {
		return firstLine(a.stdin)
	}
	if a.ask == nil {
		return "", errors.New("there is no terminal to ask for the password: pipe it in and use --password-stdin")
	}
	password, err := a.ask(ctx, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := a.ask(ctx, "Again: ")
	if err != nil {
		return "", err
	}
	if again != password {
		return "", errors.New("the two passwords differ: try again")
	}
	return password, nil
}

// userAddCmd adds an account.
type userAddCmd struct {
	newPassword

	Email string `arg:"" help:"Email address of the person."`
}

// Help is shown by relay user add --help.
func (*userAddCmd) Help() string {
	return `Examples:

    relay user add you@example.com
    pass show wimz | relay user add you@example.com --password-stdin`
}

// Run adds the account.
func (c *userAddCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(); err != nil {
		return err
	}
	password, err := c.read(ctx, a)
	if err != nil {
		return err
	}
	return a.change(ctx, func(db *sqlstore.DB) (string, error) {
		u, err := accounts(db).Register(ctx, c.Email, password)
		if errors.Is(err, store.ErrTaken) {
			err = fmt.Errorf("there is a user %s already: choose another email", c.Email)
		}
		return fmt.Sprintf("added user %s (id %s)", u.Email, u.ID), err
	})
}

// userPasswordCmd sets a password.
type userPasswordCmd struct {
	newPassword

	Email string `arg:"" help:"Email address of the account."`
}

// Help is shown by relay user password --help.
func (*userPasswordCmd) Help() string {
	return `Sets another password and logs the user out everywhere, also at a relay that runs.

Examples:

    relay user password you@example.com
    pass show wimz | relay user password you@example.com --password-stdin`
}

// Run sets the password.
func (c *userPasswordCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(); err != nil {
		return err
	}
	password, err := c.read(ctx, a)
	if err != nil {
		return err
	}
	return a.changeUser(ctx, c.Email, func(db *sqlstore.DB, u store.User) (string, error) {
		_, err := accounts(db).SetPassword(ctx, u, password)
		return "changed the password of " + u.Email, err
	})
}

// accounts are those in the database.
func accounts(db *sqlstore.DB) *auth.Accounts {
	return auth.NewAccounts(db, auth.NewPasswords(1, 0), time.Now)
}

// changeUser does something to an account, and prints what.
func (a *app) changeUser(ctx context.Context, email string, do func(*sqlstore.DB, store.User) (done string, err error)) error {
	return a.change(ctx, func(db *sqlstore.DB) (string, error) {
		u, err := findUser(ctx, db, email)
		if err != nil {
			return "", err
		}
		return do(db, u)
	})
}

// firstLine reads up to the end of the line or input, without the line's end: a
// password, or an answer.
func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, auth.MaxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read standard input: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
