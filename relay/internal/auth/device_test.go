package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

const (
	robot  wire.DeviceID = "wimz_abc123"
	secret string        = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

// signed returns credentials of the robot, signed offset after noon.
func signed(offset time.Duration) DeviceCredentials {
	at := noon.Add(offset)
	return DeviceCredentials{robot, strconv.FormatInt(at.Unix(), 10), config.Secret(wire.Sign(secret, robot, at))}
}

func static() DeviceCredentials {
	return DeviceCredentials{robot, "", config.Secret(wire.Sign(secret, robot, time.Time{}))}
}

func with(c DeviceCredentials, change func(*DeviceCredentials)) DeviceCredentials {
	change(&c)
	return c
}

func oneRobot() *memory {
	return &memory{devices: map[wire.DeviceID]store.Device{robot: {ID: robot, Secret: config.Secret(secret)}}}
}

// vector is one of testdata/auth.
type vector struct {
	Name      string        `json:"name"`
	DeviceID  wire.DeviceID `json:"device_id"`
	Secret    string        `json:"secret"`
	OldSecret string        `json:"old_secret"`
	Timestamp string        `json:"timestamp"`
	Signature string        `json:"signature"`
	Accepted  bool          `json:"accepted"`
}

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/auth/device_signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []vector `json:"vectors"` // all accepted
		Checks  []vector `json:"checks"`
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Vectors) < 8 || len(file.Checks) < 13 {
		t.Fatal(err, len(file.Vectors), len(file.Checks))
	}
	for i := range file.Vectors {
		file.Vectors[i].Accepted = true
	}
	for _, v := range append(file.Vectors, file.Checks...) {
		t.Run(v.Name, func(t *testing.T) { v.check(t) })
	}
}

func (v *vector) check(t *testing.T) {
	now := noon
	if v.Timestamp != "" {
		seconds, err := strconv.ParseInt(v.Timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		now = time.Unix(seconds, 0)
	}
	m := &memory{devices: map[wire.DeviceID]store.Device{
		v.DeviceID: {ID: v.DeviceID, Secret: config.Secret(v.Secret), OldSecret: config.Secret(v.OldSecret)},
	}}
	devices := NewDevices(m, true, func() time.Time { return now })
	id, err := devices.Authenticate(t.Context(), DeviceCredentials{v.DeviceID, v.Timestamp, config.Secret(v.Signature)})
	if (err == nil) != v.Accepted || (id == v.DeviceID) != v.Accepted {
		t.Errorf("got %q, %v (%s), want accepted: %t", id, err, Cause(err), v.Accepted)
	}
}

func TestAuthenticate(t *testing.T) {
	type creds = DeviceCredentials
	for _, tc := range []struct {
		name  string
		creds DeviceCredentials
		cause string // empty: admitted
	}{
		{"now", signed(0), ""},
		{"oldest", signed(-300 * time.Second), ""},
		{"newest", signed(300 * time.Second), ""},
		{"static", static(), ""},

		{"too old", signed(-301 * time.Second), "outside the window"},
		{"too new", signed(301 * time.Second), "outside the window"},
		{"nothing", creds{}, "no device credentials"},
		{"no signature", with(signed(0), func(c *creds) { c.Signature = "" }), "no device credentials"},
		{"malformed id", with(signed(0), func(c *creds) { c.DeviceID = "../etc" }), "malformed device identifier"},
		{"unknown device", with(signed(0), func(c *creds) { c.DeviceID = "other" }), "unknown device"},
		{"changed signature", with(signed(0), func(c *creds) { c.Signature = "00" + c.Signature[2:] }), "wrong signature"},
		{"upper case", with(signed(0), func(c *creds) { c.Signature = config.Secret(strings.ToUpper(c.Signature.Reveal())) }), "wrong signature"},
		{"changed timestamp", with(signed(0), func(c *creds) { c.Timestamp = "1700000001" }), "wrong signature"},
		{"static as timestamped", with(static(), func(c *creds) { c.Timestamp = "1700000000" }), "wrong signature"},
		{"timestamped as static", with(signed(0), func(c *creds) { c.Timestamp = "" }), "wrong signature"},
		{"zero time", with(static(), func(c *creds) { c.Timestamp = strconv.FormatInt(time.Time{}.Unix(), 10) }), "malformed timestamp"},
		{"plus sign", with(signed(0), func(c *creds) { c.Timestamp = "+" + c.Timestamp }), "malformed timestamp"},
		{"milliseconds", with(signed(0), func(c *creds) { c.Timestamp += ".0" }), "malformed timestamp"},
		{"end of time", with(signed(0), func(c *creds) { c.Timestamp = "9223372036854775807" }), "wrong signature"},
		{"signed end of time", creds{robot, "9223372036854775807", config.Secret(wire.Sign(secret, robot, time.Unix(1<<63-1, 0)))}, "outside the window"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, err := NewDevices(oneRobot(), true, atNoon).Authenticate(t.Context(), tc.creds)
			if tc.cause == "" {
				if err != nil || id != robot {
					t.Errorf("got %q, %v (%s)", id, err, Cause(err))
				}
				return
			}
			if id != "" || !errors.Is(err, ErrUnauthenticated) || err.Error() != "not authenticated" || !strings.Contains(Cause(err), tc.cause) {
				t.Errorf("got %q, %v (%s), want cause %q", id, err, Cause(err), tc.cause)
			}
		})
	}
}

func TestCapturedSignatureIsWorthless(t *testing.T) {
	devices := NewDevices(oneRobot(), true, atNoon)
	for _, step := range []struct {
		creds DeviceCredentials
		cause string
	}{
		{static(), ""},
		{signed(-10 * time.Second), ""},
		{signed(-10 * time.Second), ""},
		{signed(-11 * time.Second), "timestamp older than the newest accepted"},
		{static(), "static signature of a device that signs timestamps"},
		{signed(0), ""},
		{signed(-10 * time.Second), "timestamp older than the newest accepted"},
	} {
		if _, err := devices.Authenticate(t.Context(), step.creds); Cause(err) != step.cause {
			t.Errorf("timestamp %q: got %v (%s), want %q", step.creds.Timestamp, err, Cause(err), step.cause)
		}
	}
}

// TestOnlyOnce: where a signature is taken once, no other that was ever taken is.
func TestOnlyOnce(t *testing.T) {
	devices := NewDevices(oneRobot(), true, atNoon)
	for i, step := range []struct {
		authenticate func(context.Context, DeviceCredentials) (wire.DeviceID, error)
		creds        DeviceCredentials
		want         string // the cause; "used"; empty: admitted
	}{
		{devices.AuthenticateOnce, static(), "signature without a timestamp"},
		{devices.AuthenticateOnce, with(signed(0), func(c *DeviceCredentials) { c.Signature = "00" + c.Signature[2:] }), "wrong signature"},
		{devices.AuthenticateOnce, with(signed(0), func(c *DeviceCredentials) { c.DeviceID = "other" }), "unknown device"},
		{devices.AuthenticateOnce, signed(-301 * time.Second), "timestamp outside the window: clock wrong, or a replay"},
		{devices.AuthenticateOnce, signed(-10 * time.Second), ""},
		{devices.AuthenticateOnce, signed(-10 * time.Second), "used"},
		{devices.AuthenticateOnce, signed(-11 * time.Second), "timestamp older than the newest accepted"},
		{devices.Authenticate, signed(-10 * time.Second), ""}, // a socket may follow within the second
		{devices.Authenticate, signed(-9 * time.Second), ""},
		{devices.AuthenticateOnce, signed(-9 * time.Second), "used"}, // a socket's, from a proxy's log
		{devices.AuthenticateOnce, signed(-8 * time.Second), ""},
	} {
		id, err := step.authenticate(t.Context(), step.creds)
		got := Cause(err)
		if errors.Is(err, ErrUsed) {
			got = "used"
		}
		if got != step.want || (err == nil) != (id == robot) {
			t.Errorf("step %d: got %q, %v (%s), want %q", i, id, err, got, step.want)
		}
	}
}

func TestRefusedSignatureLeavesNoTrace(t *testing.T) {
	m := oneRobot()
	devices := NewDevices(m, true, atNoon)
	forged := with(signed(time.Minute), func(c *DeviceCredentials) { c.Signature = "00" + c.Signature[2:] })
	for _, creds := range []DeviceCredentials{forged, signed(time.Hour)} {
		if _, err := devices.Authenticate(t.Context(), creds); err == nil {
			t.Fatal("accepted")
		}
	}
	if d := m.devices[robot]; d.Timestamped() {
		t.Errorf("SignedAt became %v", d.SignedAt)
	}
}

func TestStaticSwitch(t *testing.T) {
	devices := NewDevices(oneRobot(), false, atNoon)
	if _, err := devices.Authenticate(t.Context(), static()); Cause(err) != "static signatures are switched off" {
		t.Errorf("got %v (%s)", err, Cause(err))
	}
}

func TestBrokenStoreIsNoRefusal(t *testing.T) {
	devices := NewDevices(&memory{broken: errBroken}, true, atNoon)
	if _, err := devices.Authenticate(t.Context(), signed(0)); !errors.Is(err, errBroken) || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsFrom(t *testing.T) {
	query := DeviceCredentials{"q", "1", "s"}
	header := DeviceCredentials{"h", "2", "t"}
	for _, tc := range []struct {
		name, url string
		headers   bool
		want      DeviceCredentials
	}{
		{"query", "/ws/device?device_id=q&sig=s&timestamp=1", false, query},
		{"headers", "/ws/device", true, header},
		{"both", "/ws/device?device_id=q&sig=s&timestamp=1", true, query},
		{"never mixed", "/ws/device?device_id=q", true, DeviceCredentials{DeviceID: "q"}},
		{"stray query", "/ws/device?sig=s", true, header},
		{"none", "/ws/device", false, DeviceCredentials{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tc.url, nil)
			if tc.headers {
				r.Header.Set("X-Device-ID", "h")
				r.Header.Set("X-Timestamp", "2")
				r.Header.Set("X-Signature", "t")
			}
			if got := CredentialsFrom(r); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if shown := fmt.Sprintf("%v %+v %#v", static(), static(), static()); strings.Contains(shown, static().Signature.Reveal()) {
		t.Errorf("the signature shows: %s", shown)
	}
}

func TestNewDeviceSecret(t *testing.T) {
	a, b := NewDeviceSecret(), NewDeviceSecret()
	if len(a.Reveal()) != 64 || a == b {
		t.Errorf("got %d digits", len(a.Reveal()))
	}
}

func FuzzAuthenticate(f *testing.F) {
	f.Add(string(robot), "1700000000", signed(0).Signature.Reveal())
	f.Add(string(robot), "", static().Signature.Reveal())
	f.Add("", "-62135596800", "")
	f.Fuzz(func(t *testing.T, id, timestamp, signature string) {
		creds := DeviceCredentials{wire.DeviceID(id), timestamp, config.Secret(signature)}
		devices := NewDevices(oneRobot(), true, atNoon)
		if _, err := devices.AuthenticateOnce(t.Context(), creds); err == nil && timestamp == "" {
			t.Error("no timestamp, and taken once")
		}
		got, err := devices.Authenticate(t.Context(), creds)
		switch {
		case err != nil && (!errors.Is(err, ErrUnauthenticated) || got != ""):
			t.Errorf("got %q, %v", got, err)
		case err == nil && (got != robot || len(signature) != 64):
			t.Errorf("%v was admitted as %q", creds, got)
		}
	})
}
