package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wimz.dev/live/relay/wire"
)

// figure returns the value of a series, empty if there is none.
func (w *world) figure(series string) string {
	w.Helper()
	recorder := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(w.Context(), "GET", "/metrics", http.NoBody))
	for line := range strings.Lines(recorder.Body.String()) {
		if value, found := strings.CutPrefix(line, "wimz_relay_"+series+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// measures waits for figures: a message is counted when it has been sent.
func (w *world) measures(want map[string]string) {
	w.Helper()
	for series, value := range want {
		w.eventually(series+" "+value, func() bool { return w.figure(series) == value })
	}
}

// TestRequestsAreMeasured by route, never by what was asked for.
func TestRequestsAreMeasured(t *testing.T) {
	w, token, _ := house(t)
	app := w.app(token)
	w.is(200, "GET", "/health", "", "")
	w.is(200, "GET", "/health", "", "")
	w.is(200, "GET", "/openapi.json", "", "")
	w.is(404, "GET", "/one/that/does/not/exist", "", "")
	w.is(404, "DELETE", "/another", "", "")
	w.is(401, "GET", "/api/auth/me", "x.y.z", "")
	w.is(401, "POST", "/api/auth/login", "", `{"email":"eve@example.com","password":"12345678"}`)
	w.is(404, "POST", "/api/device/pair", token, pairing("no code"))
	if _, status := w.dial("/ws/device?device_id=robot&sig=00", nil); status != 401 {
		t.Errorf("status %d", status)
	}
	w.measures(map[string]string{
		`http_requests_total{route="GET /health",status="200"}`:          "2",
		`http_requests_total{route="GET /openapi.json",status="200"}`:    "1",
		`http_requests_total{route="/",status="404"}`:                    "2",
		`http_requests_total{route="GET /api/auth/me",status="401"}`:     "1",
		`http_requests_total{route="POST /api/auth/login",status="401"}`: "1",
		`http_requests_total{route="GET /ws/app",status="101"}`:          "1", // while it is open
		`http_requests_total{route="GET /ws/device",status="401"}`:       "1",
		`auth_failures_total{cause="malformed token"}`:                   "1",
		`auth_failures_total{cause="no such pairing code"}`:              "1",
		`auth_failures_total{cause="unknown email"}`:                     "1",
		`auth_failures_total{cause="wrong signature"}`:                   "1",
	})
	if log := w.log.String(); !strings.Contains(log, `msg=refused device=robot route="GET /ws/device" address=127.0.0.1 cause="wrong signature"`) {
		t.Errorf("the log does not say who was refused: %s", log)
	}
	_ = app.socket.Close()
}

// TestSocketsAreMeasured: what is said, what is dropped, and what a session
// comes to.
func TestSocketsAreMeasured(t *testing.T) {
	w, token, _ := house(t)
	app := w.greeted(token)
	robot := w.robot("robot")
	app.isTold("robot", true)
	id := watch(app, robot)
	app.send(candidate(id))
	robot.hears("webrtc_ice")
	app.send(candidate("no-such-session"))
	app.raw("{")
	app.hears("error BAD_MESSAGE")
	app.raw(`{"type":"from_the_future"}`)
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "nobodys"})
	app.hears("error nobodys NOT_AUTHORIZED")
	app.quiet()
	w.measures(map[string]string{
		`sockets{kind="app"}`: "1", `sockets{kind="robot"}`: "1",
		`messages_total{direction="in",kind="app",type="webrtc_request"}`:    "2",
		`messages_total{direction="out",kind="robot",type="webrtc_request"}`: "1",
		`messages_total{direction="in",kind="robot",type="webrtc_offer"}`:    "1",
		`messages_total{direction="out",kind="app",type="webrtc_offer"}`:     "1",
		`messages_total{direction="in",kind="app",type="webrtc_ice"}`:        "2",
		`messages_total{direction="out",kind="robot",type="webrtc_ice"}`:     "1",
		`messages_dropped_total{reason="unknown_session"}`:                   "1",
		`messages_dropped_total{reason="bad_message"}`:                       "1",
		`messages_dropped_total{reason="unknown_type"}`:                      "1",
		`errors_total{code="BAD_MESSAGE"}`:                                   "1",
		`errors_total{code="NOT_AUTHORIZED"}`:                                "1",
		`session_reached_seconds_count{state="offered"}`:                     "1",
	})
	app.send(wire.Message{Type: wire.TypeClose, SessionID: id})
	app.hears("webrtc_close app_left")
	robot.hears("webrtc_close app_left")
	w.measures(map[string]string{`sessions_ended_total{reason="app_left"}`: "1"})
	_ = robot.socket.Close()
	w.measures(map[string]string{`sockets_closed_total{cause="lost",kind="robot"}`: "1", `sockets{kind="robot"}`: "0"})
}

// TestPanicIsLogged: the server survives a bug in a handler, and says so.
func TestPanicIsLogged(t *testing.T) {
	w := newWorld(t, func(o *options) {
		o.http.Stats = func() map[string]int { panic("a bug") }
	})
	_, token := w.user()
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/stats", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := w.client.Do(request)
	if err == nil {
		_ = response.Body.Close()
		t.Errorf("answered %s", response.Status)
	}
	if log := w.log.String(); !strings.Contains(log, `level=ERROR msg="handler panicked" route="GET /stats" panic="a bug"`) {
		t.Errorf("the log: %s", log)
	}
	w.is(200, "GET", "/health", "", "")
}

// TestHangUpIsNoFault: who does not wait for the answer has broken nothing.
func TestHangUpIsNoFault(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for route, body := range map[string]string{
		"GET /api/auth/me": "", "POST /api/turn/credentials": "", "POST /api/auth/login": `{"email":"ann@example.com","password":"12345678"}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		r := httptest.NewRequestWithContext(gone, method, path, strings.NewReader(body))
		r.Header = bearer(token)
		w.api.ServeHTTP(httptest.NewRecorder(), r)
		if n := w.figure(`http_requests_total{route="` + route + `",status="500"}`); n != "" {
			t.Errorf("%s: %s faults", route, n)
		}
	}
	if log := w.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the log: %s", log)
	}
}
