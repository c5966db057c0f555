package auth

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// DeviceStore is what device authentication needs of a store.
type DeviceStore interface {
	Device(ctx context.Context, id wire.DeviceID) (store.Device, error)
	AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error
}

// Devices authenticates robots (CONTRACT §3.2). It is safe for concurrent use.
type Devices struct {
	store       DeviceStore
	allowStatic bool
	now         func() time.Time
	nobody      config.Secret // stands for a secret that is missing
}

// NewDevices returns an authenticator for the devices in the store. allowStatic
// admits those that sign no timestamp, until they have signed one. now is usually
// [time.Now].
func NewDevices(devices DeviceStore, allowStatic bool, now func() time.Time) *Devices {
	return &Devices{devices, allowStatic, now, NewDeviceSecret()}
}

// Authenticate returns the device that the credentials belong to. An accepted
// timestamp becomes the device's newest, so that an older signature is worth
// nothing from now on. The error is [ErrUnauthenticated] or the store's.
func (d *Devices) Authenticate(ctx context.Context, creds DeviceCredentials) (wire.DeviceID, error) {
	return d.authenticate(ctx, creds, false)
}

// AuthenticateOnce is [Devices.Authenticate] for a request whose answer is worth
// stealing. A socket's signature can be used again until there is a newer one, and
// stands in the URL for a proxy to log; here it must be newer than every one that
// has been accepted, whatever for. What somebody has seen in use is therefore
// worth nothing here. The newest one again, which may also be the device itself
// within one second, is [ErrUsed].
func (d *Devices) AuthenticateOnce(ctx context.Context, creds DeviceCredentials) (wire.DeviceID, error) {
	return d.authenticate(ctx, creds, true)
}

func (d *Devices) authenticate(ctx context.Context, creds DeviceCredentials, once bool) (wire.DeviceID, error) {
	device, at, err := d.verify(ctx, creds)
	switch {
	case err != nil:
	case !creds.static():
		err = d.admitTimestamp(ctx, device.ID, at)
	case once:
		err = deny("signature without a timestamp")
	default:
		err = d.admitStatic(&device)
	}
	if err == nil && once && at.Equal(device.SignedAt) {
		err = ErrUsed
	}
	if err != nil {
		return "", err
	}
	return device.ID, nil
}

// verify returns the device that has signed, and when.
func (d *Devices) verify(ctx context.Context, creds DeviceCredentials) (store.Device, time.Time, error) {
	at, err := creds.time()
	if err != nil {
		return store.Device{}, at, err
	}
	device, err := d.store.Device(ctx, creds.DeviceID)
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return store.Device{}, at, err
	}
	signed := d.signed(&device, &creds, at)
	switch {
	case unknown:
		return store.Device{}, at, deny("unknown device")
	case !signed:
		return store.Device{}, at, deny("wrong signature")
	}
	return device, at, nil
}

// signed reports whether one of the device's secrets made the signature. A secret
// that is missing, as an unknown device's are, is checked like any other: the work
// is the same, so the time is.
func (d *Devices) signed(device *store.Device, creds *DeviceCredentials, at time.Time) bool {
	signed := false
	for _, secret := range [...]config.Secret{device.Secret, device.OldSecret} {
		key := cmp.Or(secret, d.nobody).Reveal()
		signed = wire.VerifySignature(key, creds.DeviceID, at, creds.Signature.Reveal()) || signed
	}
	return signed
}

func (d *Devices) admitStatic(device *store.Device) error {
	if !d.allowStatic {
		return deny("static signatures are switched off")
	}
	if device.Timestamped() {
		return deny("static signature of a device that signs timestamps")
	}
	return nil
}

func (d *Devices) admitTimestamp(ctx context.Context, id wire.DeviceID, at time.Time) error {
	if d.now().Sub(at).Abs() > wire.SignatureWindow {
		return deny("timestamp outside the window: clock wrong, or a replay")
	}
	err := d.store.AcceptSignature(ctx, id, at)
	if errors.Is(err, store.ErrStale) {
		return deny("timestamp older than the newest accepted")
	}
	return err
}

// time returns the moment that was signed, zero for a static signature.
func (c *DeviceCredentials) time() (time.Time, error) {
	switch {
	case c.DeviceID == "" || c.Signature == "":
		return time.Time{}, deny("no device credentials")
	case !c.DeviceID.Valid():
		return time.Time{}, deny("malformed device identifier")
	case c.static():
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(c.Timestamp, 10, 64)
	// Only the form that was signed will do. Year 1 is the zero time, which
	// stands for a static signature: nothing before 1970 gets that far.
	if err != nil || seconds <= 0 || strconv.FormatInt(seconds, 10) != c.Timestamp {
		return time.Time{}, deny("malformed timestamp")
	}
	return time.Unix(seconds, 0), nil
}
