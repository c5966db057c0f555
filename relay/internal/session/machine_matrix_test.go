package session

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// cells says what comes of one message in each state from Requested to
// Connected. In Closed nothing ever comes of anything.
type cells [4]string

func always(outcome string) cells { return cells{outcome, outcome, outcome, outcome} }

func nothing() cells { return cells{} }

// matrix is the whole session: who says what, and what comes of it.
func matrix() []struct {
	what wire.Type
	who  who
	cells
} {
	type row = struct {
		what wire.Type
		who  who
		cells
	}
	const notApp, notRobot = everybody &^ app, everybody &^ robot
	rows := []row{
		{wire.TypeOffer, robot, cells{"app:webrtc_offer phase=15s offered", "app:webrtc_offer", "app:webrtc_offer", "app:webrtc_offer"}},
		{wire.TypeOffer, app, nothing()},
		{wire.TypeOffer, sibling, always("sibling:webrtc_close/session_unknown")},
		{wire.TypeOffer, strangerApp, always("stranger-app:webrtc_close/session_unknown")},
		{wire.TypeOffer, strangerRobot, always("stranger-robot:webrtc_close/session_unknown")},

		{wire.TypeAnswer, app, cells{"", "robot:webrtc_answer phase=0s answered", "robot:webrtc_answer", "robot:webrtc_answer"}},
		{wire.TypeAnswer, notApp, nothing()},

		{wire.TypeICE, app, cells{"", "robot:webrtc_ice", "robot:webrtc_ice", "robot:webrtc_ice"}},
		{wire.TypeICE, robot, always("app:webrtc_ice")},
		{wire.TypeICE, sibling | strangerApp | strangerRobot, nothing()},

		{wire.TypeClose, app, always("app:webrtc_close/app_left robot:webrtc_close/app_left closed")},
		{wire.TypeClose, robot, always("app:webrtc_close/robot_left robot:webrtc_close/robot_left closed")},
		{wire.TypeClose, sibling | strangerApp | strangerRobot, nothing()},

		{wire.TypeRobotError, robot, always("app:webrtc_error closed")},
		{wire.TypeRobotError, notRobot, nothing()},

		{wire.TypeResume, app, cells{
			"app:webrtc_resumed grace=0s", "app:webrtc_resumed grace=0s app:webrtc_offer",
			"app:webrtc_resumed grace=0s", "app:webrtc_resumed grace=0s",
		}},
		{wire.TypeResume, sibling, cells{
			"sibling:webrtc_resumed grace=0s", "sibling:webrtc_resumed grace=0s sibling:webrtc_offer",
			"sibling:webrtc_resumed grace=0s", "sibling:webrtc_resumed grace=0s",
		}},
		{wire.TypeResume, robot, nothing()},
		{wire.TypeResume, strangerApp, always("stranger-app:error/SESSION_UNKNOWN")},
		{wire.TypeResume, strangerRobot, always("stranger-robot:error/SESSION_UNKNOWN")},

		{wire.TypeHello, robot, cells{"", "", "connected", ""}},
		{wire.TypeHello, notRobot, nothing()},
		{wire.TypeHeartbeat, robot, cells{"", "", "connected", ""}},
		{wire.TypeHeartbeat, notRobot, nothing()},
	}
	for _, quiet := range []wire.Type{
		wire.TypeRequest, wire.TypeCredentials, wire.TypeResumed, wire.TypeError, wire.TypePing, wire.TypePong,
		wire.TypeAuth, wire.TypeGoingAway, wire.TypeCommand, wire.TypeEvent, wire.TypeGetStatus, wire.TypeStatus, wire.TypeRobotStatus,
	} {
		rows = append(rows, row{quiet, everybody, nothing()})
	}
	return rows
}

func TestMessages(t *testing.T) {
	type cell struct {
		what wire.Type
		who  who
	}
	table := map[cell]cells{}
	for _, row := range matrix() {
		for _, one := range row.who.split() {
			if _, twice := table[cell{row.what, one}]; twice {
				t.Errorf("%s from the %s is there twice", row.what, names[one])
			}
			table[cell{row.what, one}] = row.cells
		}
	}
	for _, kind := range messageTypes(t) {
		for _, one := range everybody.split() {
			want, there := table[cell{kind, one}]
			if !there {
				t.Errorf("%s from the %s is missing in the matrix", kind, names[one])
				continue
			}
			for _, state := range states() {
				m := in(t, state)
				got := outcome(m, state, m.Handle(from(one, kind)))
				if expected := append(want[:], "")[state]; got != expected {
					t.Errorf("%s, %s from the %s: %q, want %q", state, kind, names[one], got, expected)
				}
			}
		}
	}
}

// messageTypes reads the types from the source of package wire, so that a new
// one is missed in the matrix.
func messageTypes(t *testing.T) []wire.Type {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../wire/message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var types []wire.Type
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Type" {
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
					types = append(types, wire.Type(strings.Trim(literal.Value, `"`)))
				}
			}
		}
		return true
	})
	if len(types) < 19 {
		t.Fatalf("found only %v", types)
	}
	return types
}

// TestEvents: sockets lost and back, and the end from outside.
func TestEvents(t *testing.T) {
	const offline = "app:error/DEVICE_OFFLINE robot:webrtc_close/robot_gone closed"
	for _, row := range []struct {
		kind   bus.Kind
		reason wire.Reason
		who    who
		cells
	}{
		{bus.Lost, "", app, always("grace=1m0s")},
		{bus.Lost, "", robot, cells{offline, "grace=1m0s", "grace=1m0s", "grace=1m0s"}},
		{bus.Lost, "", sibling | strangerApp | strangerRobot, nothing()},
		{bus.Back, "", app, always("grace=0s")},
		{bus.Back, "", robot, cells{"grace=0s robot:webrtc_request", "grace=0s", "grace=0s", "grace=0s"}},
		{bus.Back, "", sibling | strangerApp | strangerRobot, nothing()},
		{bus.End, wire.ReasonSuperseded, everybody, always("robot:webrtc_close/superseded closed")},
		{bus.End, wire.ReasonUnauthorized, everybody, always("app:webrtc_close/unauthorized robot:webrtc_close/unauthorized closed")},
	} {
		for _, one := range row.who.split() {
			for _, state := range states() {
				m := in(t, state)
				got := outcome(m, state, m.Handle(bus.Envelope{
					Kind: row.kind, From: one.sender(), Message: wire.Message{Reason: row.reason},
				}))
				if want := append(row.cells[:], "")[state]; got != want {
					t.Errorf("%s, event %d of the %s: %q, want %q", state, row.kind, names[one], got, want)
				}
			}
		}
	}
}

// TestTimers lets each timer end in each state, with everybody there, the app
// away, the robot away, or both.
func TestTimers(t *testing.T) {
	const (
		noOffer  = "app:error/OFFER_TIMEOUT robot:webrtc_close/offer_timeout closed"
		noAnswer = "app:error/ANSWER_TIMEOUT robot:webrtc_close/answer_timeout closed"
		appGone  = "app:webrtc_close/app_gone robot:webrtc_close/app_gone closed"
		noRobot  = "app:webrtc_close/robot_gone robot:webrtc_close/robot_gone closed"
	)
	for _, row := range []struct {
		timer Timer
		away  who
		cells
	}{
		{PhaseTimer, 0, cells{noOffer, noAnswer, "", ""}},
		{PhaseTimer, app, cells{noOffer, noAnswer, "", ""}},
		{PhaseTimer, robot, cells{"", noAnswer, "", ""}}, // a request without a robot is over
		{PhaseTimer, app | robot, cells{"", noAnswer, "", ""}},
		{GraceTimer, 0, nothing()},
		{GraceTimer, app, always(appGone)},
		{GraceTimer, robot, cells{"", noRobot, noRobot, noRobot}},
		{GraceTimer, app | robot, cells{"", noRobot, noRobot, noRobot}},
	} {
		for _, state := range states() {
			m := in(t, state)
			for _, one := range row.away.split() {
				m.Handle(bus.Envelope{Kind: bus.Lost, From: one.sender()})
			}
			before := m.State()
			got := outcome(m, before, m.Expire(row.timer))
			if want := append(row.cells[:], "")[state]; got != want {
				t.Errorf("%s, timer %d, away %b: %q, want %q", state, row.timer, row.away, got, want)
			}
		}
	}
}
