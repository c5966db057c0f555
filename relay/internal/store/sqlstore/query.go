package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wimz.dev/live/relay/internal/store"
)

// change runs do in a transaction. Changes take turns: what do has read stays true
// until its end.
func (s *DB) change(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failure(doing, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after Commit
	if err := do(tx); err != nil {
		return failure(doing, err)
	}
	return failure(doing, tx.Commit())
}

// execer is a *sql.DB or *sql.Tx.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// one runs a statement that changes one row, or else there is no such row.
func one(ctx context.Context, db execer, statement string, args ...any) error {
	result, err := db.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed > 0 {
		return err
	}
	return store.ErrNotFound
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// with is a row that has one more column than its reader knows.
type with struct {
	scanner
	last any
}

// Scan implements scanner.
func (w with) Scan(dest ...any) error { return w.scanner.Scan(append(dest, w.last)...) }

// collect runs a query and scans all its rows.
func collect[T any](ctx context.Context, db *sql.DB, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has what matters
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// seconds is a time in a column: unix seconds, NULL if it is zero.
func seconds(t time.Time) sql.NullInt64 { return sql.NullInt64{Int64: t.Unix(), Valid: !t.IsZero()} }

// moment is the reverse of seconds.
func moment(column sql.NullInt64) time.Time {
	if !column.Valid {
		return time.Time{}
	}
	return time.Unix(column.Int64, 0).UTC()
}

// nobody is an owner in a column, NULL if it is empty.
func nobody(owner store.UserID) sql.NullString {
	return sql.NullString{String: string(owner), Valid: owner != ""}
}

// failure gives a driver's error the store's meaning.
func failure(doing string, err error) error {
	var broken *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case errors.As(err, &broken):
		switch broken.Code() {
		case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
			err = store.ErrTaken
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			err = store.ErrNotFound
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
