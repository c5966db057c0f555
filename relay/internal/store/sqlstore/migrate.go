package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"
)

// migrations holds one file for each version of the schema, in order. A file that
// has been released is never changed; a new version is a new file, for every engine.
//
//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate brings the schema to the newest version. Two processes that open an old
// database at once take turns.
func (s *DB) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	for {
		err := s.upgrade(ctx)
		if !isBusy(err) {
			return err
		}
		// SQLite does not wait by itself when two give a new file its journal at once.
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// upgrade does what is missing, in one change.
func (s *DB) upgrade(ctx context.Context) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	return s.transact(ctx, migrationPatience, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.versions); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRowContext(ctx, s.version).Scan(&version); err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("schema version %d was made by a newer relay, this one knows %d: use the newer relay", version, len(files))
		}
		for i, name := range files[version:] {
			if err := s.step(ctx, tx, name, version+i+1); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

// files lists the versions of the schema in order.
func (e *engine) files() ([]string, error) { return fs.Glob(migrations, "migrations/"+e.name+"/*.sql") }

// step runs one file, which leads to the version.
func (s *DB) step(ctx context.Context, tx *sql.Tx, name string, version int) error {
	statements, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, string(statements)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(s.setVersion, version))
	return err
}
