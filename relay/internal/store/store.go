// Package store keeps what outlives the relay: accounts and the devices they own.
// It has the types, the errors and the interface; sqlstore keeps them in SQLite,
// and storetest is the suite every implementation passes.
//
// Consumers that need less than the whole [Store] say so with an interface of
// their own, next to where they use it.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/wire"
)

// Errors of every implementation, to be tested with [errors.Is]. Any other error
// means that the store itself does not work.
var (
	// ErrNotFound says that there is no such user or device.
	ErrNotFound = errors.New("not found")
	// ErrTaken says that the email or the device identifier is in use.
	ErrTaken = errors.New("already exists")
	// ErrStale says that the device has connected with a newer timestamp before.
	ErrStale = errors.New("older than the newest accepted signature")
)

// UserID names an account. It is a UUID (RFC 9562); empty means nobody.
type UserID string

// User is an account.
type User struct {
	ID           UserID
	Email        string // in lower case
	PasswordHash config.Secret
	CreatedAt    time.Time // UTC, whole seconds
}

// NewUser returns an account with a fresh identifier. It is not stored yet.
func NewUser(email string, passwordHash config.Secret, now time.Time) User {
	return User{UserID(uuid.NewString()), email, passwordHash, now.UTC().Truncate(time.Second)}
}

// Device is a robot.
type Device struct {
	ID wire.DeviceID
	// Secret is the key of the device's signatures. An HMAC can only be checked
	// by somebody who has the key itself, so it is stored as it is, not hashed;
	// keeping it from a thief of the disk is the work of disk encryption.
	Secret    config.Secret
	Owner     UserID    // empty: nobody's yet
	CreatedAt time.Time // UTC, whole seconds
	// SignedAt is the newest timestamp accepted in a signature, zero if there
	// has been none. A device that has one may not go back to static signatures.
	SignedAt time.Time
}

// Timestamped reports whether the device has ever signed a timestamp.
func (d *Device) Timestamped() bool { return !d.SignedAt.IsZero() }

// Store keeps users and devices. All methods may be called concurrently, take
// effect before they return, and give up when the context ends.
type Store interface {
	// CreateUser stores a new account, or returns [ErrTaken] for its email.
	CreateUser(ctx context.Context, u User) error
	// UserByEmail returns the account with this email in lower case, or [ErrNotFound].
	UserByEmail(ctx context.Context, email string) (User, error)
	// UserByID returns the account, or [ErrNotFound].
	UserByID(ctx context.Context, id UserID) (User, error)

	// CreateDevice stores a new device. It returns [ErrTaken] if there is one of
	// that name, and [ErrNotFound] if it has an owner who does not exist.
	CreateDevice(ctx context.Context, d Device) error
	// Device returns the device, or [ErrNotFound].
	Device(ctx context.Context, id wire.DeviceID) (Device, error)
	// Devices returns all devices, sorted by identifier.
	Devices(ctx context.Context) ([]Device, error)
	// DevicesOf returns the identifiers of a user's devices, sorted; none for a
	// user who does not exist.
	DevicesOf(ctx context.Context, id UserID) ([]wire.DeviceID, error)
	// AcceptSignature makes at, in whole seconds, the device's newest timestamp.
	// It returns [ErrStale] if the device has a newer one; an equal one is
	// accepted again. Of concurrent calls an older one never wins. It returns
	// [ErrNotFound] if there is no such device.
	AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error

	// Close releases the store. No method may be called after it.
	Close() error
}
