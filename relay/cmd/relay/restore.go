package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wimz.dev/live/relay/internal/store/sqlstore"
)

// restoreCmd puts a copy in the place of the SQLite database.
type restoreCmd struct {
	File  string `arg:"" help:"File that relay backup has written."`
	Force bool   `help:"Replace the database that is there."`
}

// Help is shown by relay restore --help.
func (*restoreCmd) Help() string {
	return `Stop the relay first. What has happened since the backup is forgotten, also that
an account was disabled or a token revoked: a new JWT_SECRET ends all tokens.

Do not copy the file over the database instead: the -wal file beside it would then
be applied to the wrong one. A copy made by an older relay is brought up to date
when the relay starts.`
}

// Run replaces the database.
func (c *restoreCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(a.cfg.DatabaseURL.Check()); err != nil {
		return err
	}
	err := sqlstore.Restore(ctx, a.cfg.DatabaseURL, c.File, c.Force)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("there is a database %s already: replace it with --force", a.cfg.DatabaseURL)
	case errors.Is(err, sqlstore.ErrInUse):
		return fmt.Errorf("%w: stop the relay that uses %s first", err, a.cfg.DatabaseURL)
	case errors.Is(err, sqlstore.ErrNoFile):
		return fmt.Errorf("%w: use pg_restore for PostgreSQL", err)
	case err != nil:
		return fmt.Errorf("restore %s: %w", a.cfg.DatabaseURL, err)
	}
	_, err = fmt.Fprintf(a.stdout, "restored %s from %s\n", a.cfg.DatabaseURL, c.File)
	return err
}
