// Package store keeps what outlives the relay: accounts and the devices they own.
// It has the types, the errors and the interface; sqlstore keeps them in SQLite or
// PostgreSQL, and storetest is the suite every implementation passes.
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
	// ErrNotFound says that there is no such user, device or pairing code.
	ErrNotFound = errors.New("not found")
	// ErrTaken says that the email, the device identifier or the pairing code is
	// in use, that the device is somebody else's, or that it has two secrets.
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
	Disabled     bool      // may not do anything until enabled again
	// TokensFrom is when the oldest token that counts was issued, in UTC and whole
	// seconds: those issued before it are void. Zero: all count.
	TokensFrom time.Time
}

// NewUser returns an account with a fresh identifier. It is not stored yet.
func NewUser(email string, passwordHash config.Secret, now time.Time) User {
	return User{
		ID:           UserID(uuid.NewString()),
		Email:        email,
		PasswordHash: passwordHash,
		CreatedAt:    now.UTC().Truncate(time.Second),
	}
}

// Device is a robot.
type Device struct {
	ID wire.DeviceID
	// Secret is the key of the device's signatures. An HMAC can only be checked
	// by somebody who has the key itself, so it is stored as it is, not hashed;
	// keeping it from a thief of the disk is the work of disk encryption.
	Secret config.Secret
	// OldSecret verifies signatures as well while the device moves to Secret.
	// Empty: there is none.
	OldSecret config.Secret
	Owner     UserID    // empty: nobody's yet
	CreatedAt time.Time // UTC, whole seconds
	// SignedAt is the newest timestamp accepted in a signature, zero if there
	// has been none. A device that has one may not go back to static signatures.
	SignedAt time.Time
}

// Timestamped reports whether the device has ever signed a timestamp.
func (d *Device) Timestamped() bool { return !d.SignedAt.IsZero() }

// TokenID names a token: the claim jti (RFC 7519 §4.1.7).
type TokenID string

// CodeHash is the SHA-256 hash of a pairing code. The code itself is not kept: a
// thief of the database cannot claim a device with it.
type CodeHash [32]byte

// Revocation says that something which held until now holds no more. User is
// always set:
//
//	User and Token    this one token is void
//	User alone        every token of the user issued until now is void
//	User and Device   the user owns the device no more
type Revocation struct {
	Seq    int64 // grows with every revocation, from 1, maybe with gaps
	User   UserID
	Token  TokenID
	Device wire.DeviceID
}

// MaxRevocations is how many revocations one call returns at most.
const MaxRevocations = 200

// RevocationsKept is how long a revocation can at least be read.
const RevocationsKept = 24 * time.Hour

// Store keeps users and devices, and tells what has been revoked to every process
// that uses it. All methods may be called concurrently, happen as a whole or not
// at all, take effect before they return, and give up when the context ends.
// Times are kept in whole seconds.
type Store interface {
	Users
	Devices
	Pairings
	Revocations

	// Ping returns nil if the store works.
	Ping(ctx context.Context) error
	// Close releases the store. No method may be called after it.
	Close() error
}

// Users is the part of a [Store] about accounts.
type Users interface {
	// CreateUser stores a new account, or returns [ErrTaken] for its email.
	CreateUser(ctx context.Context, u User) error
	// UserByEmail returns the account with this email in lower case, or [ErrNotFound].
	UserByEmail(ctx context.Context, email string) (User, error)
	// Users returns all accounts, sorted by email.
	Users(ctx context.Context) ([]User, error)
	// Standing returns the account and whether this token of its has been revoked
	// by name, or [ErrNotFound]. Whether the token is older than TokensFrom is for
	// the caller to see, who knows when it was issued.
	Standing(ctx context.Context, id UserID, token TokenID) (u User, revoked bool, err error)
	// SetPassword replaces the hash, voids the tokens issued before tokensFrom and
	// revokes them, or returns [ErrNotFound]. TokensFrom never moves back.
	SetPassword(ctx context.Context, id UserID, hash config.Secret, tokensFrom time.Time) error
	// DisableUser disables the account, voids the tokens issued before tokensFrom
	// and revokes them; or enables it, and then ignores tokensFrom: what was void
	// stays so. It returns [ErrNotFound] if there is no such account.
	DisableUser(ctx context.Context, id UserID, disabled bool, tokensFrom time.Time) error
	// DeleteUser removes the account and revokes its tokens and its right to each of
	// its devices, which become nobody's; or returns [ErrNotFound].
	DeleteUser(ctx context.Context, id UserID) error
}

// Devices is the part of a [Store] about robots.
type Devices interface {
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
	// Entitled reports whether the user may watch the device: owns it, with an
	// account that is not disabled.
	Entitled(ctx context.Context, id UserID, device wire.DeviceID) (bool, error)
	// AcceptSignature makes at, in whole seconds, the device's newest timestamp.
	// It returns [ErrStale] if the device has a newer one; an equal one is
	// accepted again. Of concurrent calls an older one never wins. It returns
	// [ErrNotFound] if there is no such device. What has begun is ended, within
	// seconds, also when the context ends.
	AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error
	// Seen notes when devices were there last, in whole seconds. A time earlier than
	// the noted one changes nothing, nor does a device that does not exist.
	Seen(ctx context.Context, last map[wire.DeviceID]time.Time) error
	// LastSeen returns what is noted of a user's devices. The caller owns the map.
	LastSeen(ctx context.Context, owner UserID) (map[wire.DeviceID]time.Time, error)
	// AddDeviceSecret makes secret the device's Secret and the one before it the
	// OldSecret. It returns [ErrTaken] if there is an OldSecret, which the device may
	// still use, and [ErrNotFound] if there is no such device.
	AddDeviceSecret(ctx context.Context, id wire.DeviceID, secret config.Secret) error
	// DropOldDeviceSecret forgets the OldSecret, if there is one. It returns
	// [ErrNotFound] if there is no such device.
	DropOldDeviceSecret(ctx context.Context, id wire.DeviceID) error
	// ReleaseDevice makes the device nobody's and revokes its owner's right to it.
	// It returns [ErrNotFound] if it is not owner's.
	ReleaseDevice(ctx context.Context, id wire.DeviceID, owner UserID) error
	// TransferDevice gives the device to another user, or to nobody, and revokes
	// the right of the owner before, if there was another. It returns [ErrNotFound]
	// if there is no such device or user.
	TransferDevice(ctx context.Context, id wire.DeviceID, to UserID) error
	// DeleteDevice removes the device and revokes its owner's right to it, or
	// returns [ErrNotFound].
	DeleteDevice(ctx context.Context, id wire.DeviceID) error
}

// Pairings is the part of a [Store] about pairing codes.
type Pairings interface {
	// CreatePairing stores the device's code, in the place of an earlier one. It
	// returns [ErrNotFound] if there is no such device, and [ErrTaken] if another
	// device has the same code: draw another.
	CreatePairing(ctx context.Context, id wire.DeviceID, hash CodeHash, expires time.Time) error
	// ClaimDevice makes the device with this code the user's, and uses the code
	// up: of concurrent calls one wins. It succeeds if the user owns it already.
	// It returns [ErrNotFound] if there is no such code, if it expires at now or
	// earlier, or if there is no such user, and [ErrTaken] if the device is another
	// user's; the code then stays.
	ClaimDevice(ctx context.Context, hash CodeHash, user UserID, now time.Time) (wire.DeviceID, error)
}

// Revocations is the part of a [Store] about what has ended. It is a log: every
// relay process reads what the others, and the command line, have written.
type Revocations interface {
	// RevokeToken makes the token void until it expires by itself. It does nothing
	// if it is void already, and returns [ErrNotFound] if there is no such user.
	RevokeToken(ctx context.Context, user UserID, token TokenID, expires time.Time) error
	// Revocations returns those with a Seq greater than after, in order, at most
	// [MaxRevocations]. Those older than [RevocationsKept] may be gone. One that
	// appears never has a smaller Seq than one that could be read before it.
	Revocations(ctx context.Context, after int64) ([]Revocation, error)
	// LastRevocation returns the newest Seq, 0 if there is none.
	LastRevocation(ctx context.Context) (int64, error)
}
