package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wimz.dev/live/relay/internal/store/sqlstore"
)

// backupCmd copies the SQLite database.
type backupCmd struct {
	File string `arg:"" help:"New file for the copy."`
}

// Help is shown by relay backup --help.
func (*backupCmd) Help() string {
	return `Copies the database as it is at one moment; the relay may run meanwhile. The file
holds the secrets of the robots: keep it as safe as the database. Example:

    relay backup wimz-$(date +%F).db

A PostgreSQL database has programs of its own for this: pg_dump and pg_restore.`
}

// Run writes the file.
func (c *backupCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(a.cfg.DatabaseURL.Check()); err != nil {
		return err
	}
	err := sqlstore.Backup(ctx, a.cfg.DatabaseURL, c.File)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("there is a file %s already: choose another name", c.File)
	case errors.Is(err, sqlstore.ErrNoFile):
		return fmt.Errorf("%w: use pg_dump for PostgreSQL", err)
	case err != nil:
		return fmt.Errorf("back up %s: %w", a.cfg.DatabaseURL, err)
	}
	_, err = fmt.Fprintf(a.stdout, "wrote %s\n", c.File)
	return err
}
