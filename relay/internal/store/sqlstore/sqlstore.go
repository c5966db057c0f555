// Package sqlstore keeps users and devices in a SQLite database, in pure Go.
//
// All access goes through one connection: SQLite has one writer anyway, and more
// connections only fail against each other under concurrent read-then-write.
// Other processes, such as the command line beside a running relay, may use the
// same file; they wait for each other for a few seconds (busy_timeout).
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the database driver "sqlite"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

// DB is a [store.Store]. It is safe for concurrent use.
type DB struct {
	db *sql.DB
}

var _ store.Store = (*DB)(nil)

// Open opens the database file, or makes it, readable by its owner only, and
// brings its schema up to date. [config.MemoryDatabase] is a database that lives
// as long as the DB. The caller calls Close.
func Open(ctx context.Context, path string) (*DB, error) {
	dsn, err := prepare(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return &DB{db}, nil
}

// Ping implements [store.Store]. It reads a table: an open file that is gone or
// damaged still answers a ping of the connection.
func (s *DB) Ping(ctx context.Context) error {
	_, err := s.DevicesOf(ctx, "")
	return err
}

// Close waits for running queries and closes the database.
func (s *DB) Close() error { return s.db.Close() }

// prepare makes the file, so that it never exists with wider permissions, and
// returns the data source name. SQLite gives its -wal and -shm files the mode of
// the database.
func prepare(path string) (string, error) {
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
	}
	if path == config.MemoryDatabase {
		return "file::memory:?" + options.Encode(), nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String(), nil
}
