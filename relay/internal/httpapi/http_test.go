package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (w *world) do(method, path, token, body string) answer {
	w.Helper()
	header := http.Header{}
	if token != "" {
		header = bearer(token)
	}
	return w.ask(method, path, header, body)
}

// ask makes one request and holds the answer to its description.
func (w *world) ask(method, path string, header http.Header, body string) answer {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	request.Header = header
	response, err := w.client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: strings.TrimSpace(string(text))}
	if err := json.Unmarshal(text, &a.body); err != nil {
		w.Fatalf("%s %s: no JSON: %s", method, path, text)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		w.Errorf("%s %s: %v", method, path, a.header)
	}
	if detail, _ := a.body["detail"].(string); (a.status >= 400) != (detail != "") {
		w.Errorf("%s %s: %d with %s", method, path, a.status, text)
	}
	if err := w.check.Answer(method, strings.SplitN(path, "?", 2)[0], a.status, text); err != nil {
		w.Error(err)
	}
	return a
}

// is checks the status of a request.
func (w *world) is(want int, method, path, token, body string) answer {
	w.Helper()
	a := w.do(method, path, token, body)
	if a.status != want {
		w.Errorf("%s %s %.60s: %d %s, want %d", method, path, body, a.status, a.text, want)
	}
	return a
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	if a := w.is(200, "GET", "/health", "", ""); a.text != `{"status":"ok"}` {
		t.Errorf("got %s", a.text)
	}
	w.is(200, "GET", "/ready", "", "")
	w.is(401, "GET", "/stats", "", "")
	if a := w.is(200, "GET", "/stats", token, ""); a.body["apps"] != 0.0 || a.body["robots"] != 0.0 {
		t.Errorf("got %s", a.text)
	}
	w.is(404, "GET", "/nowhere", "", "")
	w.is(404, "GET", "/api/auth/login", "", "")
	w.closing()
	w.is(503, "GET", "/ready", "", "")
	w.is(200, "GET", "/health", "", "")
}

func TestNotReadyWithoutStore(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.is(503, "GET", "/ready", "", "")
	for _, path := range []string{"/api/auth/me", "/api/user/devices"} {
		if a := w.is(500, "GET", path, token, ""); strings.Contains(a.text, "sql") {
			t.Errorf("the answer tells of the inside: %s", a.text)
		}
	}
}

func TestAccounts(t *testing.T) {
	w := newWorld(t)
	const ann = `{"email":"Ann@example.com","password":"12345678"}`
	registered := w.is(200, "POST", "/api/auth/register", "", ann)
	for _, body := range []string{
		``, `{`, `[]`, `"text"`, `{"email":7}`, `{}`, `{"email":"bob","password":"12345678"}`,
		`{"email":"bob@example.com","password":"1234567"}`, `{"email":"bob@example.com"}`,
		`{"email":"bob@example.com","password":"` + strings.Repeat("x", 8<<10) + `"}`,
	} {
		w.is(422, "POST", "/api/auth/register", "", body)
	}
	w.is(409, "POST", "/api/auth/register", "", ann)
	w.is(409, "POST", "/api/auth/register", "", strings.ToLower(ann))

	logged := w.is(200, "POST", "/api/auth/login", "", ann)
	wrong := w.is(401, "POST", "/api/auth/login", "", `{"email":"ann@example.com","password":"12345679"}`)
	unknown := w.is(401, "POST", "/api/auth/login", "", `{"email":"eve@example.com","password":"12345678"}`)
	if wrong.text != unknown.text {
		t.Errorf("an unknown address can be told from a wrong password: %s, %s", wrong.text, unknown.text)
	}
	for _, a := range []answer{registered, logged} {
		token, _ := a.body["token"].(string)
		if a.body["expires_in"] != 3600.0 || a.body["user_id"] == "" {
			t.Errorf("got %v", a.body)
		}
		me := w.is(200, "GET", "/api/auth/me", token, "")
		if me.body["user_id"] != a.body["user_id"] || me.body["email"] != "ann@example.com" {
			t.Errorf("got %s", me.text)
		}
		if created, _ := me.body["created_at"].(string); created == "" {
			t.Errorf("got %s", me.text)
		} else if _, err := time.Parse(time.RFC3339, created); err != nil {
			t.Error(err)
		}
	}
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	fresh := w.is(200, "POST", "/api/auth/refresh", token, "")
	w.is(200, "GET", "/api/auth/me", fresh.body["token"].(string), "") //nolint:forcetypeassert // fails the test
	if a := w.is(401, "POST", "/api/auth/refresh", "x.y.z", ""); a.header.Get("WWW-Authenticate") != "Bearer" || a.text != `{"detail":"Not authenticated"}` {
		t.Errorf("%v %s", a.header, a.text)
	}
}

// TestNoTokensWithoutEnd: who refreshes and logs out by turns fills the store with
// what is revoked.
func TestNoTokensWithoutEnd(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	for range 30 {
		a := w.do("POST", "/api/auth/refresh", token, "")
		if a.status == 429 {
			_, other := w.user()
			w.is(200, "POST", "/api/auth/refresh", other, "")
			return
		}
		w.is(200, "POST", "/api/auth/logout", token, "")
		token, _ = a.body["token"].(string)
	}
	t.Error("30 tokens were given and revoked")
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	ann, token := w.user()
	bob, _ := w.user()
	if a := w.is(200, "GET", "/api/user/devices", token, ""); a.text != `{"devices":[]}` {
		t.Errorf("got %s", a.text)
	}
	w.device("robot", ann)
	w.device("robot-2", ann)
	w.device("bobs", bob)
	w.robot("robot")
	const want = `{"devices":[{"device_id":"robot","is_online":true},{"device_id":"robot-2","is_online":false}]}`
	if a := w.is(200, "GET", "/api/user/devices", token, ""); a.text != want {
		t.Errorf("got %s", a.text)
	}
}

// TestLastSeen: of a robot that has left the relay says when.
func TestLastSeen(t *testing.T) {
	w := newWorld(t)
	ann, token := w.user()
	w.device("robot", ann)
	w.device("robot-2", ann)
	came := time.Now().Truncate(time.Second)
	_ = w.robot("robot").socket.Close()
	type device struct {
		IsOnline bool      `json:"is_online"`
		LastSeen time.Time `json:"last_seen"`
	}
	var list struct{ Devices []device }
	w.eventually("it has left", func() bool {
		list.Devices = nil
		if err := json.Unmarshal([]byte(w.is(200, "GET", "/api/user/devices", token, "").text), &list); err != nil {
			t.Fatal(err)
		}
		return !list.Devices[0].IsOnline && !list.Devices[0].LastSeen.IsZero()
	})
	if seen := list.Devices[0].LastSeen; seen.Before(came) || seen.After(time.Now()) {
		t.Errorf("last seen %s, came %s", seen, came)
	}
	if seen := list.Devices[1].LastSeen; !seen.IsZero() {
		t.Errorf("the other was seen %s", seen)
	}
	w.robot("robot")
	if a := w.is(200, "GET", "/api/user/devices", token, ""); strings.Contains(a.text, "last_seen") {
		t.Errorf("of one that is back: %s", a.text)
	}
}

// TestLoginLimits: per account in every way of writing its address, from one place,
// and per place for all accounts together.
func TestLoginLimits(t *testing.T) {
	refusedAfter := func(w *world, email func(i int) string) int {
		for i := range 200 {
			a := w.do("POST", "/api/auth/register", "", fmt.Sprintf(`{"email":%q,"password":"short"}`, email(i)))
			if a.status == 429 {
				if a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				return i
			}
		}
		return -1
	}
	ways := []string{"ann@example.com", "Ann@Example.com", " ann@example.com", "ann@example.com\t ", "\n ANN@example.com"}
	if n := refusedAfter(newWorld(t), func(i int) string { return ways[i%len(ways)] }); n < 10 || n > 12 {
		t.Errorf("an account is refused after %d logins", n)
	}
	if n := refusedAfter(newWorld(t), func(i int) string { return fmt.Sprintf("user%d@example.com", i) }); n < 60 || n > 90 {
		t.Errorf("an address is refused after %d logins", n)
	}
}
