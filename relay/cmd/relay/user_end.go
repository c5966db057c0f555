package main

import (
	"context"
	"errors"
	"fmt"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// userDisableCmd shuts an account.
type userDisableCmd struct {
	Email string `arg:"" help:"Email address of the account."`
}

// Help is shown by relay user disable --help.
func (*userDisableCmd) Help() string {
	return `The user cannot log in, and is logged out everywhere: a relay that runs closes
their sockets and ends their sessions within two seconds. Their robots stay theirs.

Example:

    relay user disable you@example.com`
}

// Run disables the account.
func (c *userDisableCmd) Run(ctx context.Context, a *app) error {
	return a.changeUser(ctx, c.Email, func(db *sqlstore.DB, u store.User) (string, error) {
		return "disabled user " + u.Email, accounts(db).Disable(ctx, u)
	})
}

// userEnableCmd opens a disabled account again.
type userEnableCmd struct {
	Email string `arg:"" help:"Email address of the account."`
}

// Help is shown by relay user enable --help.
func (*userEnableCmd) Help() string {
	return `The user can log in again, and has to: what was logged out stays so.

Example:

    relay user enable you@example.com`
}

// Run enables the account.
func (c *userEnableCmd) Run(ctx context.Context, a *app) error {
	return a.changeUser(ctx, c.Email, func(db *sqlstore.DB, u store.User) (string, error) {
		return "enabled user " + u.Email, accounts(db).Enable(ctx, u)
	})
}

// userRemoveCmd removes an account.
type userRemoveCmd struct {
	Email string `arg:"" help:"Email address of the account."`
	Yes   bool   `help:"Do not ask whether it is meant."`
}

// Help is shown by relay user remove --help.
func (*userRemoveCmd) Help() string {
	return `There is no way back. The user is logged out everywhere, and their robots become
nobody's. To shut an account for a while use relay user disable.

Examples:

    relay user remove you@example.com
    relay user remove you@example.com --yes`
}

// Run removes the account.
func (c *userRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.changeUser(ctx, c.Email, func(db *sqlstore.DB, u store.User) (string, error) {
		if err := c.confirm(ctx, a, u); err != nil {
			return "", err
		}
		devices, err := db.DevicesOf(ctx, u.ID)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("removed user %s, who had %d robots", u.Email, len(devices)), db.DeleteUser(ctx, u.ID)
	})
}

func (c *userRemoveCmd) confirm(ctx context.Context, a *app, u store.User) error {
	if c.Yes {
		return nil
	}
	if a.confirm == nil {
		return errors.New("there is no terminal to ask whether it is meant: use --yes")
	}
	answer, err := a.confirm(ctx, "Remove "+u.Email+" for ever? Type yes: ")
	if err != nil {
		return err
	}
	if answer != "yes" {
		return errors.New("nothing was removed")
	}
	return nil
}
