package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// Seen implements [store.Store].
func (s *DB) Seen(ctx context.Context, id wire.DeviceID, at time.Time) error {
	if !id.Valid() { // a name that a database refuses would spoil the batch for others
		return nil
	}
	return s.together(ctx, "note that a device was there", func(ctx context.Context, tx *sql.Tx) (refused, fault error) {
		const later = "UPDATE devices SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)"
		_, fault = tx.ExecContext(ctx, later, id, at.Unix())
		return nil, fault
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
