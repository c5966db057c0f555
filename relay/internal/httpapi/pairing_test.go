package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// nobody's devices are to be paired.
var nobody store.User

// register asks for a pairing code with a device's headers.
func (w *world) register(header http.Header, query, body string) answer {
	w.Helper()
	a := w.ask("POST", "/api/device/register"+query, header, body)
	if code, _ := a.body["pairing_code"].(string); code != "" {
		w.codes = append(w.codes, code, strings.ReplaceAll(code, "-", ""))
	}
	return a
}

func registration(id wire.DeviceID) string {
	return fmt.Sprintf(`{"device_id":%q,"firmware_version":"1.2.3"}`, id)
}

// code registers a device and returns its code.
func (w *world) code(id wire.DeviceID) string {
	w.Helper()
	a := w.register(signedNow(id), "", registration(id))
	code, _ := a.body["pairing_code"].(string)
	if a.status != 200 || code == "" {
		w.Fatalf("%d %s", a.status, a.text)
	}
	return code
}

func pairing(code string) string { return fmt.Sprintf(`{"pairing_code":%q}`, code) }

// TestRegisterDeviceLimit: who has no signature is not heard without end.
func TestRegisterDeviceLimit(t *testing.T) {
	w := newWorld(t, limited(func(l *config.Limits) { l.AddressLogins = limit.Rate{Burst: 2, Every: time.Hour} }))
	for _, want := range []int{401, 401, 429} {
		if a := w.register(http.Header{}, "", registration("robot")); a.status != want {
			t.Errorf("%d %s, want %d", a.status, a.text, want)
		}
	}
}

func TestRegisterDevice(t *testing.T) {
	now := time.Now()
	good := func() http.Header { return signedAt("robot", deviceSecret, now) }
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"good":              {good(), registration("robot"), 200},
		"no firmware":       {good(), `{"device_id":"robot"}`, 200},
		"older secret":      {signedAt("rotated", deviceSecret, now), registration("rotated"), 200},
		"nobody":            {http.Header{}, registration("robot"), 401},
		"unknown device":    {signedAt("nonesuch", deviceSecret, now), registration("nonesuch"), 401},
		"wrong secret":      {signedAt("robot", "newer-secret", now), registration("robot"), 401},
		"static":            {http.Header{"X-Device-Id": {"robot"}, "X-Signature": {wire.Sign(deviceSecret, "robot", time.Time{})}}, registration("robot"), 401},
		"another device":    {good(), registration("rotated"), 422},
		"no device":         {good(), `{}`, 422},
		"no body":           {good(), ``, 422},
		"no JSON":           {good(), `{`, 422},
		"a list":            {good(), `[]`, 422},
		"a number":          {good(), `{"device_id":7}`, 422},
		"long firmware":     {good(), fmt.Sprintf(`{"device_id":"robot","firmware_version":%q}`, strings.Repeat("x", 257)), 422},
		"long body":         {good(), fmt.Sprintf(`{"device_id":"robot","x":%q}`, strings.Repeat("x", 8<<10)), 422},
		"stranger, no JSON": {http.Header{}, `{`, 401}, // who has no business here hears of nothing else
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.device("robot", nobody)
			w.device("rotated", nobody)
			w.must(w.store.AddDeviceSecret(t.Context(), "rotated", "newer-secret"))
			a := w.register(c.header, "", c.body)
			if a.status != c.want {
				t.Fatalf("%d %s, want %d", a.status, a.text, c.want)
			}
			if c.want != 200 {
				return
			}
			want := map[string]any{
				"success": true, "pairing_code": a.body["pairing_code"], "expires_in": 600.0,
				"websocket_url": "ws" + strings.TrimPrefix(w.server.URL, "http") + "/ws/device",
			}
			if fmt.Sprint(a.body) != fmt.Sprint(want) {
				t.Errorf("got %v", a.body)
			}
		})
	}
}

// TestCodeForASignatureSeenInUse: a request that was captured gets no second
// code, and the signature of a socket gets none at all.
func TestCodeForASignatureSeenInUse(t *testing.T) {
	w := newWorld(t)
	w.device("robot", nobody)
	_, token := w.user()
	refused := func(header http.Header, query string, want int) {
		t.Helper()
		a := w.register(header, query, registration("robot"))
		if a.status != want || len(w.codes) > 2 {
			t.Errorf("%d %s, want %d", a.status, a.text, want)
		}
		if (a.header.Get("Retry-After") == "1") != (want == 429) {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	at := time.Now().Add(-10 * time.Second)
	socket := signed("robot", deviceSecret, at)
	if _, status := w.dial("/ws/device"+socket, nil); status != 101 {
		t.Fatalf("the robot's socket: %d", status)
	}
	refused(http.Header{}, socket, 429) // from a proxy's log
	refused(signedAt("robot", deviceSecret, at), "", 429)
	if len(w.codes) > 0 {
		t.Fatal("the signature of a socket got a code")
	}

	captured := signedAt("robot", deviceSecret, at.Add(time.Second))
	code, _ := w.register(captured.Clone(), "", registration("robot")).body["pairing_code"].(string)
	refused(captured, "", 429)
	if _, status := w.dial("/ws/device", signedNow("robot")); status != 101 {
		t.Fatalf("the robot's next socket: %d", status)
	}
	refused(captured, "", 401)
	w.is(200, "POST", "/api/device/pair", token, pairing(code)) // nothing of it has touched the code
}

// TestManyCopiesAtOnce: nor does a copy that comes while the request is handled.
func TestManyCopiesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.device("robot", nobody)
	header := signedNow("robot")
	given := make(chan int, 16)
	for range cap(given) {
		go func() {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/device/register", strings.NewReader(registration("robot")))
			r.Header = header
			answer := httptest.NewRecorder()
			w.api.ServeHTTP(answer, r)
			given <- strings.Count(answer.Body.String(), "pairing_code")
		}()
	}
	codes := 0
	for range cap(given) {
		codes += <-given
	}
	if codes != 1 {
		t.Errorf("%d codes for one signature", codes)
	}
}

// TestOneCodeASecond: a robot's clock does not let it have more.
func TestOneCodeASecond(t *testing.T) {
	w := newWorld(t)
	w.device("robot", nobody)
	w.device("other", nobody)
	started, given := time.Now(), 0
	for i := range 10 {
		header := signedAt("robot", deviceSecret, started.Add(time.Duration(i)*time.Second))
		a := w.register(header, "", registration("robot"))
		switch a.status {
		case 200:
			given++
		case 429:
		default:
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if most := 1 + int(time.Since(started).Seconds()); given == 0 || given > most {
		t.Errorf("%d codes, want at most %d", given, most)
	}
	w.code("other")
}

func TestWebSocketURL(t *testing.T) {
	for name, c := range map[string]struct{ public, proto, asked, want string }{
		"as asked":       {"", "", "http://relay.example.com:8000", "ws://relay.example.com:8000/ws/device"},
		"behind a proxy": {"", "https", "http://relay.example.com", "wss://relay.example.com/ws/device"},
		"with TLS":       {"", "", "https://relay.example.com", "wss://relay.example.com/ws/device"},
		"behind plain":   {"", "http", "http://relay.example.com", "ws://relay.example.com/ws/device"},
		"as configured":  {"wss://relay.example.com", "http", "http://10.0.0.7:8000", "wss://relay.example.com/ws/device"},
		"strange proxy":  {"", "javascript", "http://[::1]:80", "ws://[::1]:80/ws/device"},
	} {
		w := newWorld(t, func(o *options) { o.http.PublicURL = c.public })
		w.device("robot", nobody)
		r := httptest.NewRequestWithContext(t.Context(), "POST", c.asked+"/api/device/register", strings.NewReader(registration("robot")))
		r.Header = signedNow("robot")
		r.Header.Set("X-Forwarded-Proto", c.proto)
		answer := httptest.NewRecorder()
		w.api.ServeHTTP(answer, r)
		var body struct {
			URL string `json:"websocket_url"`
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || body.URL != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, body.URL, err, c.want)
		}
	}
}

func TestPair(t *testing.T) {
	w := newWorld(t)
	_, ann := w.user()
	_, bob := w.user()
	w.device("robot", nobody)
	code := w.code("robot")
	devices := func(token string) string { return w.is(200, "GET", "/api/user/devices", token, "").text }
	for _, typed := range []string{``, `{}`, `{"pairing_code":""}`, pairing("0000-0000"), pairing(code + "0"), pairing(strings.Repeat("0", 1000)), pairing("'; --")} {
		if a := w.is(404, "POST", "/api/device/pair", ann, typed); !strings.Contains(a.text, "wrong, used or too old") {
			t.Errorf("%s: %s", typed, a.text)
		}
	}
	w.is(422, "POST", "/api/device/pair", ann, `{"pairing_code":7}`)
	w.is(422, "POST", "/api/device/pair", ann, `{`)
	w.is(401, "POST", "/api/device/pair", "", pairing(code))
	if got := devices(ann); got != `{"devices":[]}` {
		t.Errorf("got %s", got)
	}

	typed := strings.ToLower(strings.ReplaceAll(code, "-", ""))
	if a := w.is(200, "POST", "/api/device/pair", ann, pairing(typed)); a.text != `{"device_id":"robot","success":true}` {
		t.Errorf("got %s", a.text)
	}
	if got := devices(ann); got != `{"devices":[{"device_id":"robot","is_online":false}]}` {
		t.Errorf("got %s", got)
	}
	// It is used up, for everybody.
	w.is(404, "POST", "/api/device/pair", bob, pairing(code))
	w.is(404, "POST", "/api/device/pair", ann, pairing(code))
}

func TestPairWhatSomebodyOwns(t *testing.T) {
	w := newWorld(t)
	owner, ann := w.user()
	_, bob := w.user()
	w.device("robot", owner)
	code := w.code("robot")
	if a := w.is(409, "POST", "/api/device/pair", bob, pairing(code)); strings.Contains(a.text, "user1") || strings.Contains(a.text, string(owner.ID)) {
		t.Errorf("it tells whose: %s", a.text)
	}
	w.is(200, "POST", "/api/device/pair", ann, pairing(code)) // their own, again
}

func TestCodeThatIsTooOld(t *testing.T) {
	w := newWorld(t, func(o *options) { o.http.PairingCodeTTL = time.Second })
	_, token := w.user()
	w.device("robot", nobody)
	code, shown := w.code("robot"), time.Now()
	w.eventually("a second later", func() bool { return time.Since(shown) > time.Second })
	w.is(404, "POST", "/api/device/pair", token, pairing(code))
}

func TestNewCodeReplacesTheOld(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	w.device("robot", nobody)
	old := auth.NewPairingCode()
	if err := w.store.CreatePairing(t.Context(), "robot", old.Hash(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	fresh := w.code("robot")
	w.is(404, "POST", "/api/device/pair", token, pairing(old.Reveal()))
	w.is(200, "POST", "/api/device/pair", token, pairing(fresh))
}

// guess tries wrong codes until it is refused.
func (w *world) guess(token string) (tries int, refused answer) {
	w.Helper()
	for tries = range 200 {
		if a := w.do("POST", "/api/device/pair", token, pairing("0000-0000")); a.status != 404 {
			return tries, a
		}
	}
	w.Fatal("never refused")
	return tries, refused
}

// TestGuessing: a user is stopped soon, also one who has a right code by then, and
// so are all users of an address together.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	w.device("robot", nobody)
	code := w.code("robot")
	_, guesser := w.user()
	if n, a := w.guess(guesser); n != 10 || a.status != 429 || a.header.Get("Retry-After") != "30" {
		t.Errorf("a user is refused after %d: %d %s, Retry-After %q", n, a.status, a.text, a.header.Get("Retry-After"))
	}
	if a := w.is(429, "POST", "/api/device/pair", guesser, pairing(code)); strings.Contains(a.text, "robot") {
		t.Errorf("got %s", a.text)
	}
	started, all := time.Now(), 0
	for range 20 {
		_, token := w.user()
		n, _ := w.guess(token)
		all += n
	}
	if most := 60 + int(time.Since(started).Seconds()); all > most {
		t.Errorf("the users of one address had %d guesses, want at most %d", all, most)
	}
}

// TestGuessingTogether: many users at as many addresses are no better off.
func TestGuessingTogether(t *testing.T) {
	w := newWorld(t)
	started, all := time.Now(), 0
	for i := range 20 {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i))}}
		w.client = &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: from.DialContext, DisableKeepAlives: true}}
		_, token := w.user()
		n, _ := w.guess(token)
		all += n
	}
	if most := 100 + int(5*time.Since(started).Seconds()); all < 100 || all > most {
		t.Errorf("%d guesses, want 100 to %d", all, most)
	}
}

func TestUnpair(t *testing.T) {
	w := newWorld(t)
	owner, ann := w.user()
	_, bob := w.user()
	w.device("robot", owner)
	w.is(401, "DELETE", "/api/user/devices/robot", "", "")
	w.is(404, "DELETE", "/api/user/devices/", ann, "")
	theirs := w.is(404, "DELETE", "/api/user/devices/robot", bob, "")
	nones := w.is(404, "DELETE", "/api/user/devices/nonesuch", bob, "")
	if theirs.text != nones.text {
		t.Errorf("a robot of somebody else can be told from none: %s, %s", theirs.text, nones.text)
	}
	if a := w.is(200, "DELETE", "/api/user/devices/robot", ann, ""); a.text != `{"success":true}` {
		t.Errorf("got %s", a.text)
	}
	w.is(404, "DELETE", "/api/user/devices/robot", ann, "")
	last, err := w.store.Revocations(t.Context(), 0)
	if err != nil || !slices.ContainsFunc(last, func(r store.Revocation) bool { return r.User == owner.ID && r.Device == "robot" }) {
		t.Errorf("revoked %v, %v", last, err)
	}
	// And somebody else may have it.
	w.is(200, "POST", "/api/device/pair", bob, pairing(w.code("robot")))
}

func TestPairingWithoutStore(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []answer{
		w.register(signedNow("robot"), "", registration("robot")),
		w.do("POST", "/api/device/pair", token, pairing("0000-0000")),
		w.do("DELETE", "/api/user/devices/robot", token, ""),
	} {
		if a.status != 500 || strings.Contains(a.text, "sql") {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
}
