package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// Seen implements [store.Store].
func (s *DB) Seen(ctx context.Context, last map[wire.DeviceID]time.Time) error {
	return s.change(ctx, "note when devices were there", func(ctx context.Context, tx *sql.Tx) error {
		for id, at := range last {
			const later = "UPDATE devices SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)"
			if _, err := tx.ExecContext(ctx, later, id, at.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}

// LastSeen implements [store.Store].
func (s *DB) LastSeen(ctx context.Context, owner store.UserID) (map[wire.DeviceID]time.Time, error) {
	rows, err := list(ctx, s, "look up when devices were there", scanSeen,
		"SELECT id, seen_at FROM devices WHERE owner = $1 AND seen_at IS NOT NULL", owner)
	last := make(map[wire.DeviceID]time.Time, len(rows))
	for _, row := range rows {
		last[row.id] = row.at
	}
	return last, err
}

// seen is when a device was there.
type seen struct {
	id wire.DeviceID
	at time.Time
}

func scanSeen(row scanner) (s seen, err error) {
	var at sql.NullInt64
	err = row.Scan(&s.id, &at)
	s.at = moment(at)
	return s, err
}
