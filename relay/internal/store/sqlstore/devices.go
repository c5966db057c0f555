package sqlstore

import (
	"context"
	"database/sql"
	"errors"

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
	return s.exec(ctx, "create device",
		"INSERT INTO devices ("+deviceColumns+") VALUES ($1, $2, $3, $4, $5, $6)",
		d.ID, d.Secret.Reveal(), d.OldSecret.Reveal(), nobody(d.Owner), d.CreatedAt.Unix(), seconds(d.SignedAt))
}

// Device implements [store.Store].
func (s *DB) Device(ctx context.Context, id wire.DeviceID) (store.Device, error) {
	return get(ctx, s, "read device", scanDevice, selectDevice+"WHERE id = $1", id)
}

// Devices implements [store.Store].
func (s *DB) Devices(ctx context.Context) ([]store.Device, error) {
	return list(ctx, s, "list devices", scanDevice, selectDevice+"ORDER BY id")
}

// DevicesOf implements [store.Store].
func (s *DB) DevicesOf(ctx context.Context, id store.UserID) ([]wire.DeviceID, error) {
	return list(ctx, s, "list devices", value[wire.DeviceID], "SELECT id FROM devices WHERE owner = $1 ORDER BY id", id)
}

// Entitled implements [store.Store].
func (s *DB) Entitled(ctx context.Context, id store.UserID, device wire.DeviceID) (bool, error) {
	return get(ctx, s, "look up owner", value[bool], `SELECT EXISTS (SELECT 1
		FROM devices JOIN users ON users.id = owner WHERE devices.id = $1 AND owner = $2 AND NOT disabled)`, device, id)
}

// AddDeviceSecret implements [store.Store]. SET reads the row as it was.
func (s *DB) AddDeviceSecret(ctx context.Context, id wire.DeviceID, secret config.Secret) error {
	return s.change(ctx, "add device secret", func(ctx context.Context, tx *sql.Tx) error {
		const move = "UPDATE devices SET old_secret = secret, secret = $2 WHERE id = $1 AND old_secret = ''"
		return oneDevice(ctx, tx, store.ErrTaken, move, id, secret.Reveal())
	})
}

// DropOldDeviceSecret implements [store.Store].
func (s *DB) DropOldDeviceSecret(ctx context.Context, id wire.DeviceID) error {
	return s.change(ctx, "drop old device secret", func(ctx context.Context, tx *sql.Tx) error {
		return one(ctx, tx, "UPDATE devices SET old_secret = '' WHERE id = $1", id)
	})
}

// ReleaseDevice implements [store.Store].
func (s *DB) ReleaseDevice(ctx context.Context, id wire.DeviceID, owner store.UserID) error {
	return s.change(ctx, "release device", func(ctx context.Context, tx *sql.Tx) error {
		if err := one(ctx, tx, "UPDATE devices SET owner = NULL WHERE id = $1 AND owner = $2", id, owner); err != nil {
			return err
		}
		return revoke(ctx, tx, store.Revocation{User: owner, Device: id})
	})
}

// TransferDevice implements [store.Store].
func (s *DB) TransferDevice(ctx context.Context, id wire.DeviceID, to store.UserID) error {
	return s.change(ctx, "transfer device", func(ctx context.Context, tx *sql.Tx) error {
		from, err := ownerOf(ctx, tx, id)
		if err != nil || from == to {
			return err
		}
		return disown(ctx, tx, id, from, "UPDATE devices SET owner = $2 WHERE id = $1", id, nobody(to))
	})
}

// DeleteDevice implements [store.Store].
func (s *DB) DeleteDevice(ctx context.Context, id wire.DeviceID) error {
	return s.change(ctx, "delete device", func(ctx context.Context, tx *sql.Tx) error {
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

// oneDevice is [one] for a statement that has a condition on the device: if it does not
// hold for one that is there, the error is refused.
func oneDevice(ctx context.Context, tx *sql.Tx, refused error, statement string, id wire.DeviceID, value any) error {
	err := one(ctx, tx, statement, id, value)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	switch _, absent := ownerOf(ctx, tx, id); {
	case absent == nil:
		return refused
	case errors.Is(absent, sql.ErrNoRows):
		return err
	default:
		return absent
	}
}

// ownerOf returns the device's owner, empty if it is nobody's.
func ownerOf(ctx context.Context, tx *sql.Tx, id wire.DeviceID) (store.UserID, error) {
	owner, err := value[sql.Null[store.UserID]](tx.QueryRowContext(ctx, "SELECT owner FROM devices WHERE id = $1", id))
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
