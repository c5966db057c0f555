package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

const selectDevice = "SELECT id, secret, owner, created_at, signed_at FROM devices "

// CreateDevice implements [store.Store].
func (s *DB) CreateDevice(ctx context.Context, d store.Device) error {
	owner := sql.Null[store.UserID]{V: d.Owner, Valid: d.Owner != ""}
	signed := sql.NullInt64{Int64: d.SignedAt.Unix(), Valid: d.Timestamped()}
	_, err := s.db.ExecContext(ctx,
		"INSERT INTO devices (id, secret, owner, created_at, signed_at) VALUES (?, ?, ?, ?, ?)",
		d.ID, d.Secret.Reveal(), owner, d.CreatedAt.Unix(), signed)
	return failure("create device", err)
}

// Device implements [store.Store].
func (s *DB) Device(ctx context.Context, id wire.DeviceID) (store.Device, error) {
	d, err := scanDevice(s.db.QueryRowContext(ctx, selectDevice+"WHERE id = ?", id))
	return d, failure("read device", err)
}

// Devices implements [store.Store].
func (s *DB) Devices(ctx context.Context) ([]store.Device, error) {
	list, err := collect(ctx, s.db, scanDevice, selectDevice+"ORDER BY id")
	return list, failure("list devices", err)
}

// DevicesOf implements [store.Store].
func (s *DB) DevicesOf(ctx context.Context, id store.UserID) ([]wire.DeviceID, error) {
	list, err := collect(ctx, s.db, scanID, "SELECT id FROM devices WHERE owner = ? ORDER BY id", id)
	return list, failure("list devices", err)
}

// AcceptSignature implements [store.Store]: one statement compares and sets.
func (s *DB) AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error {
	result, err := s.db.ExecContext(ctx,
		"UPDATE devices SET signed_at = ?1 WHERE id = ?2 AND (signed_at IS NULL OR signed_at <= ?1)",
		at.Unix(), id)
	if err != nil {
		return failure("accept signature", err)
	}
	changed, err := result.RowsAffected()
	if err != nil || changed > 0 {
		return failure("accept signature", err)
	}
	if _, err := s.Device(ctx, id); err != nil {
		return err
	}
	return failure("accept signature", store.ErrStale)
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

func scanDevice(row scanner) (store.Device, error) {
	var (
		d       store.Device
		owner   sql.Null[store.UserID]
		created int64
		signed  sql.NullInt64
	)
	if err := row.Scan(&d.ID, &d.Secret, &owner, &created, &signed); err != nil {
		return store.Device{}, err
	}
	d.Owner = owner.V
	d.CreatedAt = time.Unix(created, 0).UTC()
	if signed.Valid {
		d.SignedAt = time.Unix(signed.Int64, 0).UTC()
	}
	return d, nil
}

func scanID(row scanner) (wire.DeviceID, error) {
	var id wire.DeviceID
	err := row.Scan(&id)
	return id, err
}

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
