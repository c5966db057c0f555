package httpapi_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/wire"
)

// The two tables of this file say who may do what: every route and every message
// with every kind of caller. Whoever adds one of either finds it missing here.

// callers are the columns of the table of routes, in this order.
var callers = []string{"nobody", "owner", "stranger", "former owner", "disabled", "expired", "logged out", "robot's signature"}

// routes says what each caller is answered. The robot of the table is "robot",
// which the owner owns, and once belonged to the former owner.
var routes = map[string][8]int{
	"GET /health":                   {200, 200, 200, 200, 200, 200, 200, 200},
	"GET /ready":                    {200, 200, 200, 200, 200, 200, 200, 200},
	"GET /openapi.json":             {200, 200, 200, 200, 200, 200, 200, 200},
	"GET /asyncapi.json":            {200, 200, 200, 200, 200, 200, 200, 200},
	"GET /stats":                    {401, 200, 200, 200, 401, 401, 401, 401},
	"POST /api/auth/register":       {422, 422, 422, 422, 422, 422, 422, 422}, // with an empty body
	"POST /api/auth/login":          {401, 401, 401, 401, 401, 401, 401, 401},
	"POST /api/auth/refresh":        {401, 200, 200, 200, 401, 401, 401, 401},
	"POST /api/auth/logout":         {401, 200, 200, 200, 401, 401, 401, 401},
	"POST /api/auth/password":       {401, 403, 403, 403, 401, 401, 401, 401},
	"GET /api/auth/me":              {401, 200, 200, 200, 401, 401, 401, 401},
	"GET /api/user/devices":         {401, 200, 200, 200, 401, 401, 401, 401},
	"DELETE /api/user/devices/{id}": {401, 200, 404, 404, 401, 401, 401, 401},
	"POST /api/device/register":     {401, 401, 401, 401, 401, 401, 401, 200},
	"POST /api/device/pair":         {401, 404, 404, 404, 401, 401, 401, 401},
	"POST /api/turn/credentials":    {401, 200, 200, 200, 401, 401, 401, 401},
	"GET /ws/app":                   {401, 101, 101, 101, 401, 401, 401, 401},
	"GET /ws/device":                {401, 401, 401, 401, 401, 401, 401, 101},
}

// bodies that a route needs to get beyond its own checks.
var bodies = map[string]string{
	"POST /api/device/register": `{"device_id":"robot","firmware_version":"1"}`,
	"POST /api/device/pair":     `{"pairing_code":"ABCD-EFGH"}`,
}

func TestWhoMayCallWhat(t *testing.T) {
	w := newWorld(t)
	if have := slices.Sorted(maps.Keys(routes)); !slices.Equal(have, w.described()) {
		t.Fatalf("the table has\n%v\nthere are\n%v", have, w.described())
	}
	for route, statuses := range routes {
		for i, caller := range callers {
			t.Run(route+" by "+caller, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				method, path, _ := strings.Cut(strings.ReplaceAll(route, "{id}", "robot"), " ")
				header := w.cast()[caller]
				if strings.HasPrefix(path, "/ws/") {
					if _, status := w.dial(path, header); status != statuses[i] {
						t.Errorf("answered %d, want %d", status, statuses[i])
					}
					return
				}
				if a := w.ask(method, path, header, bodies[route]); a.status != statuses[i] {
					t.Errorf("answered %d %s, want %d", a.status, a.text, statuses[i])
				}
			})
		}
	}
}

// TestRefusalsLookTheSame whatever is wrong with who asks.
func TestRefusalsLookTheSame(t *testing.T) {
	w := newWorld(t)
	cast := w.cast()
	want := w.ask("GET", "/api/auth/me", cast["nobody"], "").text
	for _, caller := range []string{"disabled", "expired", "logged out", "robot's signature"} {
		if got := w.ask("GET", "/api/auth/me", cast[caller], "").text; got != want {
			t.Errorf("%s is told %s, nobody %s", caller, got, want)
		}
	}
}

// cast makes an owner of "robot", others, and what each presents.
func (w *world) cast() map[string]http.Header {
	w.Helper()
	owner, ownerToken := w.user()
	_, stranger := w.user()
	former, formerToken := w.user()
	disabled, disabledToken := w.user()
	_, out := w.user()
	w.device("robot", former)
	w.must(w.store.TransferDevice(w.Context(), "robot", owner.ID))
	w.must(w.accounts().Disable(w.Context(), disabled))
	w.is(200, "POST", "/api/auth/logout", out, "")
	expired, _ := auth.NewTokens(jwtSecret, time.Hour, func() time.Time { return time.Now().Add(-2 * time.Hour) }).Issue(owner)
	cast := map[string]http.Header{"nobody": {}, "robot's signature": signedNow("robot")}
	for who, token := range map[string]string{
		"owner": ownerToken, "stranger": stranger, "former owner": formerToken,
		"disabled": disabledToken, "expired": expired, "logged out": out,
	} {
		cast[who] = bearer(token)
	}
	return cast
}

// said is a row of the table of messages: what a party says in or about
// something, and what comes of it when it may.
type said struct {
	name string
	say  func(about string) wire.Message // a session's or a robot's identifier
	// other hears this when the speaker may; "" if nothing.
	other string
	// speaker hears this when it may.
	speaker string
}

// inSession are the messages of apps and robots that name a session.
var inSession = map[wire.Party][]said{
	wire.App: {
		{"webrtc_answer", func(id string) wire.Message { return sdp(wire.TypeAnswer, wire.SessionID(id)) }, "webrtc_answer", ""},
		{"webrtc_ice", func(id string) wire.Message { return candidate(wire.SessionID(id)) }, "webrtc_ice", ""},
		{"webrtc_close", about(wire.TypeClose), "webrtc_close app_left", "webrtc_close app_left"},
		{"webrtc_resume", about(wire.TypeResume), "", "webrtc_resumed"},
	},
	wire.Robot: {
		{"webrtc_offer", func(id string) wire.Message { return sdp(wire.TypeOffer, wire.SessionID(id)) }, "webrtc_offer", ""},
		{"webrtc_ice", func(id string) wire.Message { return candidate(wire.SessionID(id)) }, "webrtc_ice", ""},
		{"webrtc_close", about(wire.TypeClose), "webrtc_close robot_left", "webrtc_close robot_left"},
		{"webrtc_error", func(id string) wire.Message {
			return wire.Message{Type: wire.TypeRobotError, SessionID: wire.SessionID(id), Error: "x"}
		}, "webrtc_error", ""},
		{"hello", reports(wire.TypeHello), "", ""},
		{"heartbeat", reports(wire.TypeHeartbeat), "", ""},
	},
}

func about(kind wire.Type) func(string) wire.Message {
	return func(id string) wire.Message { return wire.Message{Type: kind, SessionID: wire.SessionID(id)} }
}

func reports(kind wire.Type) func(string) wire.Message {
	return func(id string) wire.Message {
		return wire.Message{Type: kind, Sessions: []wire.SessionReport{{SessionID: wire.SessionID(id), Connected: true}}}
	}
}

const guessed = "00000000-0000-4000-8000-000000000000"

// TestWhoMaySpeakInASession: its two parties. For anybody else it does not exist,
// and the two notice nothing.
func TestWhoMaySpeakInASession(t *testing.T) {
	for party, rows := range inSession {
		for _, row := range rows {
			t.Run(row.name+" of the "+party.String(), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				s.undisturbed()
				for _, stranger := range s.strangers(party) {
					stranger.send(row.say(guessed))
					whenGuessed := stranger.drained()
					stranger.send(row.say(string(s.id)))
					for _, answer := range whenGuessed {
						stranger.hears(answer) // by way of the session, which takes its time
					}
					s.undisturbed()
					stranger.quiet()
				}
				speaker, other := s.app, s.robot
				if party == wire.Robot {
					speaker, other = s.robot, s.app
				}
				speaker.send(row.say(string(s.id)))
				if row.other != "" {
					other.hears(row.other)
				}
				if row.speaker != "" {
					speaker.hears(row.speaker)
				}
				speaker.quiet()
			})
		}
	}
}

// TestEveryMessageHasItsRow: those that name a session.
func TestEveryMessageHasItsRow(t *testing.T) {
	w := newWorld(t)
	tabled := map[string]bool{}
	for _, rows := range inSession {
		for _, row := range rows {
			tabled[row.name] = true
		}
	}
	for _, row := range aboutRobot {
		tabled[row.name] = true
	}
	tabled["event"] = true                                                                     // see TestWhoHearsOfARobot
	for _, kind := range []string{"ping", "pong", "auth", "robot_connected", "get_profiles"} { // about nobody but who says it
		tabled[kind] = true
	}
	for _, kind := range slices.Concat(w.check.Types("hearApp"), w.check.Types("hearRobot")) {
		if !tabled[kind] {
			t.Errorf("no table of this file says who may say %s", kind)
		}
	}
}

// aboutRobot are the messages of apps that name a robot.
var aboutRobot = []said{
	{"webrtc_request", forRobot(wire.TypeRequest), "webrtc_request", "webrtc_credentials"},
	{"get_status", forRobot(wire.TypeGetStatus), "", "status_response robot"},
	{"command", func(id string) wire.Message {
		return wire.Message{Type: wire.TypeCommand, DeviceID: wire.DeviceID(id), Command: "stop"}
	}, "command stop", ""},
}

func forRobot(kind wire.Type) func(string) wire.Message {
	return func(id string) wire.Message { return wire.Message{Type: kind, DeviceID: wire.DeviceID(id)} }
}

// TestWhoMayAskForARobot: its owner. For anybody else it does not exist, and it
// hears nothing.
func TestWhoMayAskForARobot(t *testing.T) {
	for _, row := range aboutRobot {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			cast := w.cast()
			robot := w.robot("robot")
			for _, caller := range []string{"stranger", "former owner"} {
				app, status := w.dial("/ws/app", cast[caller])
				if app == nil {
					t.Fatalf("refused with %d", status)
				}
				var told []string
				for _, id := range []string{"nonesuch", "robot"} {
					app.send(row.say(id))
					told = append(told, strings.ReplaceAll(string(wire.Encode(app.next())), `"`+id+`"`, "ID"))
				}
				if told[0] != told[1] {
					t.Errorf("%s: a robot of others is answered %s, none %s", caller, told[1], told[0])
				}
				app.quiet()
			}
			robot.quiet()

			owner, _ := w.dial("/ws/app", cast["owner"])
			owner.isTold("robot", true)
			owner.send(row.say("robot"))
			if row.speaker != "" {
				owner.hears(row.speaker)
			}
			if row.other != "" {
				robot.hears(row.other)
			}
			robot.quiet()
		})
	}
}

// TestWhoHearsOfARobot: its owner's apps.
func TestWhoHearsOfARobot(t *testing.T) {
	w := newWorld(t)
	cast := w.cast()
	robot := w.robot("robot")
	apps := map[string]*peer{}
	for _, caller := range []string{"owner", "stranger", "former owner"} {
		apps[caller], _ = w.dial("/ws/app", cast[caller])
		apps[caller].drained()
	}
	robot.raw(`{"event":"bark"}`)
	apps["owner"].next()
	for _, app := range apps {
		app.quiet()
	}
}

// scene is a session between an app and a robot, and others who are no part of it.
type scene struct {
	*world
	app, robot *peer
	id         wire.SessionID

	sameUser, otherUser, otherRobot, formerOwner *peer
}

func newScene(t *testing.T) *scene {
	t.Helper()
	w, token, strangers := house(t)
	former, formers := w.user()
	w.device("sold", former)
	s := &scene{world: w, robot: w.robot("robot"), otherRobot: w.robot("robot-2"), app: w.app(token)}
	s.sameUser, s.otherUser, s.formerOwner = w.app(token), w.app(strangers), w.app(formers)
	for _, p := range []*peer{s.app, s.sameUser, s.otherUser, s.formerOwner} {
		p.drained()
	}
	s.id = watch(s.app, s.robot)
	return s
}

// strangers are those who are not that party of the session. Another app of the
// same user may take the session over, and is no stranger to it.
func (s *scene) strangers(party wire.Party) []*peer {
	if party == wire.Robot {
		return []*peer{s.otherRobot}
	}
	return []*peer{s.otherUser, s.formerOwner}
}

// undisturbed checks that the two parties have heard nothing but each other, by
// way of the session.
func (s *scene) undisturbed() {
	s.Helper()
	s.app.send(candidate(s.id))
	s.robot.hears("webrtc_ice")
	s.robot.send(candidate(s.id))
	s.app.hears("webrtc_ice")
}
