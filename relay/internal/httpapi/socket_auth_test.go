package httpapi_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/wire"
)

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// TestAppAuthentication: where a token may stand. What it must be, package auth says.
func TestAppAuthentication(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	for name, c := range map[string]struct {
		query  string
		header http.Header
		want   int
	}{
		"query":                    {"?token=" + token, nil, 101},
		"header":                   {"", bearer(token), 101},
		"scheme in lower case":     {"", http.Header{"Authorization": {"bearer " + token}}, 101},
		"no scheme":                {"", http.Header{"Authorization": {token}}, 401},
		"header before query":      {"?token=x", bearer(token), 101},
		"bad header, good query":   {"?token=" + token, bearer("x"), 401},
		"none":                     {"", nil, 401},
		"empty":                    {"?token=", nil, 401},
		"cut off":                  {"?token=" + token[:len(token)-1], nil, 401},
		"a device's credentials":   {"", signedNow("robot"), 401},
		"token under another name": {"?jwt=" + token, nil, 401},
	} {
		if _, status := w.dial("/ws/app"+c.query, c.header); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
}

func TestOrigins(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	w.device("robot", user)
	for origin, want := range map[string]int{
		"": 101, ourPage: 101, "https://evil.example.com": 403, "http://app.example.com": 403,
		ourPage + ":8443": 403, ourPage + ".evil.example.com": 403, "null": 403,
	} {
		header := bearer(token)
		device := signedNow("robot")
		if origin != "" {
			header.Set("Origin", origin)
			device.Set("Origin", origin)
		}
		if _, status := w.dial("/ws/app", header); status != want {
			t.Errorf("app from %q: %d, want %d", origin, status, want)
		}
		if _, status := w.dial("/ws/device", device); status != want {
			t.Errorf("robot from %q: %d, want %d", origin, status, want)
		}
	}
	header := bearer(token)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "null",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		header.Set(name, value)
	}
	if a := w.ask("GET", "/ws/app", header, ""); a.status != 403 || a.body["detail"] != "Pages from this Origin may not connect" {
		t.Errorf("a foreign page is told %d %s", a.status, a.text)
	}
	// Who has no business here is told so before anything else.
	if _, status := w.dial("/ws/app", http.Header{"Origin": {"https://evil.example.com"}}); status != 401 {
		t.Errorf("no token from a foreign page: %d", status)
	}
}

// signed returns the query of a device's socket.
func signed(id wire.DeviceID, secret string, at time.Time) string {
	query := url.Values{"device_id": {string(id)}, "sig": {wire.Sign(secret, id, at)}}
	if !at.IsZero() {
		query.Set("timestamp", strconv.FormatInt(at.Unix(), 10))
	}
	return "?" + query.Encode()
}

// TestDeviceAuthentication: where a signature may stand, and what the store keeps of
// it. What it must be, package auth says.
func TestDeviceAuthentication(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		queries []string // one after the other
		header  http.Header
		want    int // of the last
	}{
		"static query":      {[]string{signed("robot", deviceSecret, time.Time{})}, nil, 101},
		"timestamped query": {[]string{signed("robot", deviceSecret, now)}, nil, 101},
		"headers":           {[]string{""}, signedNow("robot"), 101},
		"again":             {[]string{signed("robot", deviceSecret, now), signed("robot", deviceSecret, now)}, nil, 101},
		"nothing":           {[]string{""}, nil, 401},
		"wrong key":         {[]string{signed("robot", "another secret", now)}, nil, 401},
		"unknown device":    {[]string{signed("nonesuch", deviceSecret, now)}, nil, 401},
		"replayed":          {[]string{signed("robot", deviceSecret, now), signed("robot", deviceSecret, now.Add(-time.Second))}, nil, 401},
		"downgraded":        {[]string{signed("robot", deviceSecret, now), signed("robot", deviceSecret, time.Time{})}, nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			user, _ := w.user()
			w.device("robot", user)
			status := 0
			for _, query := range c.queries {
				_, status = w.dial("/ws/device"+query, c.header)
			}
			if status != c.want {
				t.Errorf("%d, want %d", status, c.want)
			}
		})
	}
}

func TestStaticSignaturesSwitchedOff(t *testing.T) {
	w := newWorld(t, func(o *options) { o.http.Devices = auth.NewDevices(o.http.Store, false, time.Now) })
	user, _ := w.user()
	w.device("robot", user)
	if _, status := w.dial("/ws/device"+signed("robot", deviceSecret, time.Time{}), nil); status != 401 {
		t.Errorf("static: %d", status)
	}
	if _, status := w.dial("/ws/device"+signed("robot", deviceSecret, time.Now()), nil); status != 101 {
		t.Errorf("timestamped: %d", status)
	}
}

// TestNoUpgrade: a plain request gets an answer it can read.
func TestNoUpgrade(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	w.is(400, "GET", "/ws/app", token, "")
	w.is(401, "GET", "/ws/device", "", "")
}

// TestTokenExpires: a socket does not outlive its token, nor do its sessions.
func TestTokenExpires(t *testing.T) {
	w := newWorld(t, almostExpired(2500*time.Millisecond))
	user, _ := w.user()
	w.device("robot", user)
	robot := w.robot("robot")
	token, _ := w.tokensOfUpgrade.Issue(user)
	app := w.app(token)
	app.isTold("robot", true)
	watch(app, robot)
	app.isLoggedOut()
	robot.hears("webrtc_close unauthorized")
	robot.quiet()
	w.eventually("the app is gone", func() bool { return w.hub.Apps() == 0 })
}

// TestTokenRenewed: unless a fresh one of the same user comes in time.
func TestTokenRenewed(t *testing.T) {
	w := newWorld(t, almostExpired(1500*time.Millisecond))
	user, fresh := w.user()
	_, others := w.user()
	old, _ := w.tokensOfUpgrade.Issue(user)
	renewed, refused := w.app(old), w.app(old)
	renewed.send(wire.Message{Type: wire.TypeAuth, Token: fresh})
	for _, bad := range []string{others, "garbage"} {
		refused.send(wire.Message{Type: wire.TypeAuth, Token: bad})
		refused.hears("error NOT_AUTHORIZED")
	}
	refused.closedWith(wire.CloseAuthEnded) // by now the other's old token has expired, too
	renewed.quiet()
}

// almostExpired makes tokens that are accepted at the upgrade and expire at
// the latest after d: a token's expiry has whole seconds.
func almostExpired(d time.Duration) func(*options) {
	return func(o *options) {
		o.tokens = auth.NewTokens(jwtSecret, time.Hour, func() time.Time { return time.Now().Add(d - time.Hour) })
	}
}
