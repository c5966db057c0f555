package main

import (
	"context"
	"fmt"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// tokenCmd prints a token.
type tokenCmd struct {
	Email string `arg:"" help:"Email address of the account."`
}

// Help is shown by relay token --help.
func (*tokenCmd) Help() string {
	return `Prints the token and nothing else; it lasts 24 hours. Needs JWT_SECRET, the same
as the relay's.

Example:

    curl -H "Authorization: Bearer $(relay token you@example.com)" http://localhost:8000/api/auth/me`
}

// Run prints the token.
func (c *tokenCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(a.cfg.CheckJWTSecret()); err != nil {
		return err
	}
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		u, err := findUser(ctx, db, c.Email)
		if err != nil {
			return err
		}
		if u.Disabled {
			return fmt.Errorf("user %s is disabled: no token would count before `relay user enable %s`", u.Email, u.Email)
		}
		token, _ := auth.NewTokens(a.cfg.JWTSecret, auth.TokenLifetime, time.Now).Issue(u)
		_, err = fmt.Fprintln(a.stdout, token)
		return err
	})
}
