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

const selectUser = "SELECT id, email, password_hash, created_at FROM users "

// CreateUser implements [store.Store].
func (s *DB) CreateUser(ctx context.Context, u store.User) error {
	_, err := s.db.ExecContext(ctx,
		"INSERT INTO users (id, email, password_hash, created_at) VALUES (?, ?, ?, ?)",
		u.ID, u.Email, u.PasswordHash.Reveal(), u.CreatedAt.Unix())
	return failure("create user", err)
}

// UserByEmail implements [store.Store].
func (s *DB) UserByEmail(ctx context.Context, email string) (store.User, error) {
	return scanUser(s.db.QueryRowContext(ctx, selectUser+"WHERE email = ?", email))
}

// UserByID implements [store.Store].
func (s *DB) UserByID(ctx context.Context, id store.UserID) (store.User, error) {
	return scanUser(s.db.QueryRowContext(ctx, selectUser+"WHERE id = ?", id))
}

func scanUser(row *sql.Row) (store.User, error) {
	var (
		u       store.User
		created int64
	)
	err := row.Scan(&u.ID, &u.Email, &u.PasswordHash, &created)
	u.CreatedAt = time.Unix(created, 0).UTC()
	if err != nil {
		return store.User{}, failure("read user", err)
	}
	return u, nil
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
