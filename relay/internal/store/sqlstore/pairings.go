package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// CreatePairing implements [store.Store].
func (s *DB) CreatePairing(ctx context.Context, id wire.DeviceID, hash store.CodeHash, expires time.Time) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO pairings (device, code_hash, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (device) DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at`,
		id, hash[:], expires.Unix())
	return failure("create pairing", err)
}

// ClaimDevice implements [store.Store].
func (s *DB) ClaimDevice(ctx context.Context, hash store.CodeHash, user store.UserID, now time.Time) (id wire.DeviceID, err error) {
	err = s.change(ctx, "claim device", func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, "SELECT device FROM pairings WHERE code_hash = $1 AND expires_at > $2", hash[:], now.Unix())
		if id, err = scanID(row); err != nil {
			return err
		}
		owner, err := ownerOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if owner != "" && owner != user {
			return store.ErrTaken
		}
		if err := one(ctx, tx, "UPDATE devices SET owner = $2 WHERE id = $1", id, user); err != nil {
			return err
		}
		return one(ctx, tx, "DELETE FROM pairings WHERE device = $1", id)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}
