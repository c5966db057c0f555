package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

const (
	deviceColumns = "id, secret, old_secret, owner, created_at, signed_at"
	selectDevice  = "SELECT " + deviceColumns + " FROM devices "
)

// CreateDevice implements [store.Store].
func (s *DB) CreateDevice(ctx context.Context, d store.Device) error {
	_, err := s.db.ExecContext(ctx,
		"INSERT INTO devices ("+deviceColumns+") VALUES ($1, $2, $3, $4, $5, $6)",
		d.ID, d.Secret.Reveal(), d.OldSecret.Reveal(), nobody(d.Owner), d.CreatedAt.Unix(), seconds(d.SignedAt))
	return failure("create device", err)
}

// Device implements [store.Store].
func (s *DB) Device(ctx context.Context, id wire.DeviceID) (store.Device, error) {
	d, err := scanDevice(s.db.QueryRowContext(ctx, selectDevice+"WHERE id = $1", id))
	return d, failure("read device", err)
}

// Devices implements [store.Store].
func (s *DB) Devices(ctx context.Context) ([]store.Device, error) {
	list, err := collect(ctx, s.db, scanDevice, selectDevice+"ORDER BY id")
	return list, failure("list devices", err)
}

// DevicesOf implements [store.Store].
func (s *DB) DevicesOf(ctx context.Context, id store.UserID) ([]wire.DeviceID, error) {
	list, err := collect(ctx, s.db, scanID, "SELECT id FROM devices WHERE owner = $1 ORDER BY id", id)
	return list, failure("list devices", err)
}

// AcceptSignature implements [store.Store]: one statement compares and sets.
func (s *DB) AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error {
	result, err := s.db.ExecContext(ctx,
		"UPDATE devices SET signed_at = $2 WHERE id = $1 AND (signed_at IS NULL OR signed_at <= $2)",
		id, at.Unix())
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

// AddDeviceSecret implements [store.Store]. SET reads the row as it was.
func (s *DB) AddDeviceSecret(ctx context.Context, id wire.DeviceID, secret config.Secret) error {
	return failure("add device secret", one(ctx, s.db,
		"UPDATE devices SET old_secret = secret, secret = $2 WHERE id = $1", id, secret.Reveal()))
}

// DropOldDeviceSecret implements [store.Store].
func (s *DB) DropOldDeviceSecret(ctx context.Context, id wire.DeviceID) error {
	return failure("drop old device secret", one(ctx, s.db, "UPDATE devices SET old_secret = '' WHERE id = $1", id))
}

// ReleaseDevice implements [store.Store].
func (s *DB) ReleaseDevice(ctx context.Context, id wire.DeviceID, owner store.UserID) error {
	return s.change(ctx, "release device", func(tx *sql.Tx) error {
		if err := one(ctx, tx, "UPDATE devices SET owner = NULL WHERE id = $1 AND owner = $2", id, owner); err != nil {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: owner, Device: id})
	})
}

// TransferDevice implements [store.Store].
func (s *DB) TransferDevice(ctx context.Context, id wire.DeviceID, to store.UserID) error {
	return s.change(ctx, "transfer device", func(tx *sql.Tx) error {
		from, err := ownerOf(ctx, tx, id)
		if err != nil || from == to {
			return err
		}
		return disown(ctx, tx, id, from, "UPDATE devices SET owner = $2 WHERE id = $1", id, nobody(to))
	})
}

// DeleteDevice implements [store.Store].
func (s *DB) DeleteDevice(ctx context.Context, id wire.DeviceID) error {
	return s.change(ctx, "delete device", func(tx *sql.Tx) error {
		from, err := ownerOf(ctx, tx, id)
		if err != nil {
			return err
		}
		return disown(ctx, tx, id, from, "DELETE FROM devices WHERE id = $1", id)
	})
}

// disown runs the statement that takes the device from its owner, and revokes the
// owner's right if there was one.
func disown(ctx context.Context, tx *sql.Tx, id wire.DeviceID, from store.UserID, statement string, args ...any) error {
	err := one(ctx, tx, statement, args...)
	if err != nil || from == "" {
		return err
	}
	return revoke(ctx, tx, store.Revocation{User: from, Device: id})
}

// ownerOf returns the device's owner, empty if it is nobody's.
func ownerOf(ctx context.Context, tx *sql.Tx, id wire.DeviceID) (store.UserID, error) {
	var owner sql.Null[store.UserID]
	err := tx.QueryRowContext(ctx, "SELECT owner FROM devices WHERE id = $1", id).Scan(&owner)
	return owner.V, err
}

func scanDevice(row scanner) (store.Device, error) {
	var (
		d               store.Device
		owner           sql.Null[store.UserID]
		created, signed sql.NullInt64
	)
	if err := row.Scan(&d.ID, &d.Secret, &d.OldSecret, &owner, &created, &signed); err != nil {
		return store.Device{}, err
	}
	d.Owner, d.CreatedAt, d.SignedAt = owner.V, moment(created), moment(signed)
	return d, nil
}

func scanID(row scanner) (wire.DeviceID, error) {
	var id wire.DeviceID
	err := row.Scan(&id)
	return id, err
}
