package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/store"
)

// RevokeToken implements [store.Store]. It also forgets the tokens that have
// expired since.
func (s *DB) RevokeToken(ctx context.Context, user store.UserID, token store.TokenID, expires time.Time) error {
	return s.change(ctx, "revoke token", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM revoked_tokens WHERE expires_at < $1", time.Now().Unix()); err != nil {
			return err
		}
		added, err := changes(tx.ExecContext(ctx,
			"INSERT INTO revoked_tokens (user_id, token, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			user, token, expires.Unix()))
		if err != nil || added == 0 {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: user, Token: token})
	})
}

// Revocations implements [store.Store].
func (s *DB) Revocations(ctx context.Context, after int64) ([]store.Revocation, error) {
	return list(ctx, s, "read revocations", scanRevocation,
		"SELECT seq, user_id, token, device FROM revocations WHERE seq > $1 ORDER BY seq LIMIT $2", after, store.MaxRevocations)
}

// LastRevocation implements [store.Store].
func (s *DB) LastRevocation(ctx context.Context) (int64, error) {
	return get(ctx, s, "read revocations", value[int64], "SELECT COALESCE(MAX(seq), 0) FROM revocations")
}

// revoke writes a line of the log, and purges the old ones. A change makes it its
// last step.
func revoke(ctx context.Context, tx *sql.Tx, r store.Revocation) error {
	now := time.Now()
	if _, err := tx.ExecContext(ctx, "DELETE FROM revocations WHERE created_at < $1", now.Add(-store.RevocationsKept).Unix()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO revocations (user_id, token, device, created_at) VALUES ($1, $2, $3, $4)",
		r.User, r.Token, r.Device, now.Unix())
	return err
}

func scanRevocation(row scanner) (store.Revocation, error) {
	var r store.Revocation
	err := row.Scan(&r.Seq, &r.User, &r.Token, &r.Device)
	return r, err
}
