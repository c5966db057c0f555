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
	return s.exec(ctx, "create pairing", `INSERT INTO pairings (device, code_hash, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (device) DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at`,
		id, hash[:], expires.Unix())
}

// ClaimDevice implements [store.Store]. The code is used up first: who finds it
// gone is too late, and when the device is somebody else's, it comes back with the
// transaction.
func (s *DB) ClaimDevice(ctx context.Context, hash store.CodeHash, user store.UserID, now time.Time) (wire.DeviceID, error) {
	var claimed wire.DeviceID
	err := s.change(ctx, "claim device", func(ctx context.Context, tx *sql.Tx) error {
		id, err := value[wire.DeviceID](tx.QueryRowContext(ctx,
			"DELETE FROM pairings WHERE code_hash = $1 AND expires_at > $2 RETURNING device", hash[:], now.Unix()))
		if err != nil {
			return err
		}
		owner, err := ownerOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if owner != "" && owner != user {
			return store.ErrTaken
		}
		claimed = id
		return one(ctx, tx, "UPDATE devices SET owner = $2 WHERE id = $1", id, user)
	})
	if err != nil {
		return "", err
	}
	return claimed, nil
}
