package auth

import (
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
	nobody      config.Secret // key of devices that do not exist
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
	at, err := creds.time()
	if err != nil {
		return "", err
	}
	device, err := d.store.Device(ctx, creds.DeviceID)
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return "", err
	}
	if unknown {
		device.Secret = d.nobody // the work is the same, so the time is
	}
	signed := wire.VerifySignature(device.Secret.Reveal(), creds.DeviceID, at, creds.Signature.Reveal())
	switch {
	case unknown:
		return "", deny("unknown device")
	case !signed:
		return "", deny("wrong signature")
	case creds.static():
		err = d.admitStatic(&device)
	default:
		err = d.admitTimestamp(ctx, device.ID, at)
	}
	if err != nil {
		return "", err
	}
	return device.ID, nil
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
