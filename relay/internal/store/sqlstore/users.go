package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

const (
	userColumns = "id, email, password_hash, created_at, disabled, tokens_from"
	selectUser  = "SELECT " + userColumns + " FROM users "
)

// CreateUser implements [store.Store]. That there is one already is no error to the
// database: a server would write the address into its log.
func (s *DB) CreateUser(ctx context.Context, u store.User) error {
	return s.change(ctx, "create user", func(ctx context.Context, tx *sql.Tx) error {
		added, err := changes(tx.ExecContext(ctx,
			"INSERT INTO users ("+userColumns+") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
			u.ID, u.Email, u.PasswordHash.Reveal(), u.CreatedAt.Unix(), u.Disabled, seconds(u.TokensFrom)))
		if err == nil && added == 0 {
			err = store.ErrTaken
		}
		return err
	})
}

// UserByEmail implements [store.Store].
func (s *DB) UserByEmail(ctx context.Context, email string) (store.User, error) {
	return get(ctx, s, "read user", scanUser, selectUser+"WHERE email = $1", email)
}

// Users implements [store.Store].
func (s *DB) Users(ctx context.Context) ([]store.User, error) {
	return list(ctx, s, "list users", scanUser, selectUser+"ORDER BY email")
}

// Standing implements [store.Store] with one query: it is asked at every request.
func (s *DB) Standing(ctx context.Context, id store.UserID, token store.TokenID) (store.User, bool, error) {
	var revoked bool
	scan := func(row scanner) (store.User, error) { return scanUser(with{row, &revoked}) }
	u, err := get(ctx, s, "read standing", scan, "SELECT "+userColumns+
		", EXISTS (SELECT 1 FROM revoked_tokens WHERE user_id = users.id AND token = $2) FROM users WHERE id = $1", id, token)
	return u, revoked, err
}

// SetPassword implements [store.Store].
func (s *DB) SetPassword(ctx context.Context, id store.UserID, hash config.Secret, tokensFrom time.Time) error {
	return s.change(ctx, "set password", func(ctx context.Context, tx *sql.Tx) error {
		err := one(ctx, tx, "UPDATE users SET password_hash = $2, tokens_from = "+later+" WHERE id = $1",
			id, hash.Reveal(), tokensFrom.Unix())
		if err != nil {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: id})
	})
}

// DisableUser implements [store.Store].
func (s *DB) DisableUser(ctx context.Context, id store.UserID, disabled bool, tokensFrom time.Time) error {
	return s.change(ctx, "disable user", func(ctx context.Context, tx *sql.Tx) error {
		if !disabled {
			return one(ctx, tx, "UPDATE users SET disabled = $2 WHERE id = $1", id, disabled)
		}
		err := one(ctx, tx, "UPDATE users SET disabled = $2, tokens_from = "+later+" WHERE id = $1",
			id, disabled, tokensFrom.Unix())
		if err != nil {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: id})
	})
}

// later is the later one of tokens_from and the third parameter.
const later = "CASE WHEN tokens_from > $3 THEN tokens_from ELSE $3 END"

// DeleteUser implements [store.Store]. The devices' references become NULL.
func (s *DB) DeleteUser(ctx context.Context, id store.UserID) error {
	return s.change(ctx, "delete user", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO revocations (user_id, token, device, created_at)
			SELECT owner, '', id, CAST($2 AS BIGINT) FROM devices WHERE owner = $1 ORDER BY id`, id, time.Now().Unix())
		if err != nil {
			return err
		}
		if err := one(ctx, tx, "DELETE FROM users WHERE id = $1", id); err != nil {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: id})
	})
}

func scanUser(row scanner) (store.User, error) {
	var (
		u                   store.User
		created, tokensFrom sql.NullInt64
	)
	if err := row.Scan(&u.ID, &u.Email, &u.PasswordHash, &created, &u.Disabled, &tokensFrom); err != nil {
		return store.User{}, err
	}
	u.CreatedAt, u.TokensFrom = moment(created), moment(tokensFrom)
	return u, nil
}
