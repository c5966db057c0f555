package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wimz.dev/live/relay/internal/store"
)

// change runs do in a transaction. Changes take turns: what do has read stays true
// until its end.
func (s *DB) change(ctx context.Context, doing string, do func(context.Context, *sql.Tx) error) error {
	return failure(doing, s.transact(ctx, patience, do))
}

// transact is a change that takes no longer than limit.
func (s *DB) transact(ctx context.Context, limit time.Duration, do func(context.Context, *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// Whatever the server's default: a statement sees what was committed before it,
	// and so all that was done before its turn. SQLite has nothing weaker anyway.
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after Commit
	if s.turn != "" {
		if _, err := tx.ExecContext(ctx, s.turn, strconv.FormatInt(limit.Milliseconds(), 10)); err != nil {
			return err
		}
	}
	if err := do(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exec runs one statement.
func (s *DB) exec(ctx context.Context, doing, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.db.ExecContext(ctx, statement, args...)
	return failure(doing, err)
}

// one runs a statement that changes one row, or else there is no such row.
func one(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
	changed, err := changes(tx.ExecContext(ctx, statement, args...))
	if err == nil && changed == 0 {
		err = store.ErrNotFound
	}
	return err
}

// changes is how many rows a statement has changed.
func changes(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// get runs a query and scans the one row it has, or else [store.ErrNotFound].
func get[T any](ctx context.Context, s *DB, doing string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	item, err := scan(s.db.QueryRowContext(ctx, query, args...))
	return item, failure(doing, err)
}

// list runs a query and scans all its rows.
func list[T any](ctx context.Context, s *DB, doing string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has what matters
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, failure(doing, err)
		}
		items = append(items, item)
	}
	return items, failure(doing, rows.Err())
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

// value scans a row of one column.
func value[T any](row scanner) (item T, err error) {
	err = row.Scan(&item)
	return item, err
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
	if err == nil {
		return nil
	}
	lite, isLite := errors.AsType[*sqlite.Error](err)
	server, isServer := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case isLite:
		err = liteMeaning(lite)
	case isServer:
		err = serverMeaning(server)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func liteMeaning(err *sqlite.Error) error {
	switch err.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return store.ErrTaken
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return store.ErrNotFound
	default:
		return err
	}
}

func serverMeaning(err *pgconn.PgError) error {
	switch err.Code { // https://www.postgresql.org/docs/current/errcodes-appendix.html
	case "23505": // unique_violation
		return store.ErrTaken
	case "23503": // foreign_key_violation
		return store.ErrNotFound
	case "22021": // character_not_in_repertoire: no name in the database has such bytes
		return store.ErrNotFound
	default:
		return err
	}
}
