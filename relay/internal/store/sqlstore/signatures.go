package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// AcceptSignature implements [store.Store]. It compares and sets in one statement.
func (s *DB) AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error {
	const doing = "accept signature"
	if !id.Valid() { // a name that a database refuses would spoil the batch for others
		return failure(doing, store.ErrNotFound)
	}
	return s.together(ctx, doing, func(ctx context.Context, tx *sql.Tx) (refused, fault error) {
		const newer = "UPDATE devices SET signed_at = $2 WHERE id = $1 AND (signed_at IS NULL OR signed_at <= $2)"
		err := one(ctx, tx, newer, id, at.Unix())
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		switch _, err = ownerOf(ctx, tx, id); {
		case err == nil:
			return store.ErrStale, nil
		case errors.Is(err, sql.ErrNoRows):
			return store.ErrNotFound, nil
		default:
			return nil, err
		}
	})
}
