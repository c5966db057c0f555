// Package sqlstore keeps users and devices in a SQL database: a SQLite file, in
// pure Go, or PostgreSQL. The queries are the same for both; [engine] has what
// differs.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

const (
	// patience bounds every call: the wait for a connection, for others' changes
	// and for the answer. A healthy database answers in milliseconds; a request
	// that waits longer than this is not worth an answer any more.
	patience = 10 * time.Second
	// migrationPatience bounds the way to the newest schema, which may have to
	// rewrite every row, and waits while another process does so.
	migrationPatience = time.Minute
)

// DB is a [store.Store]. It is safe for concurrent use.
type DB struct {
	db *sql.DB
	engine
	signatures signatures
}

var _ store.Store = (*DB)(nil)

// engine is what differs between databases.
type engine struct {
	// name is that of the folder with the versions of the schema.
	name string
	// turn is what a change begins with so that changes take turns, and $1 the
	// milliseconds they may take; empty where BEGIN sees to that.
	turn string
	// versions makes the table of the schema's version, where it needs one;
	// version reads it, and setVersion, which has a %d, writes it.
	versions, version, setVersion string
}

// Open opens the database, makes the file if it is one and not there, and brings
// the schema up to date. The error does not show a password that is in the URL.
// The caller calls Close.
func Open(ctx context.Context, url config.DatabaseURL) (*DB, error) {
	s, err := connect(url)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", url, err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", url, err), s.Close())
	}
	return s, nil
}

func connect(url config.DatabaseURL) (*DB, error) {
	if err := url.Check(); err != nil {
		return nil, err
	}
	if url.PostgreSQL() {
		return openPostgres(url)
	}
	return openSQLite(url)
}

// Ping implements [store.Store]. It reads a table: a connection says that it is
// well while the file behind it is damaged.
func (s *DB) Ping(ctx context.Context) error {
	_, err := s.DevicesOf(ctx, "")
	return err
}

// Close waits for running queries and closes the database.
func (s *DB) Close() error { return s.db.Close() }
