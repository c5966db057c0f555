package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// who is somebody who may speak up in the session under test.
type who uint8

const (
	app           who = 1 << iota // watches
	robot                         // is watched
	sibling                       // another socket of the same user
	strangerApp                   // somebody else's
	strangerRobot                 // likewise
	everybody     = app | robot | sibling | strangerApp | strangerRobot
)

const (
	id    wire.SessionID = "session-1"
	grace                = time.Minute
)

// names are how outcomes call them.
var names = map[who]string{
	app: "app", robot: "robot", sibling: "sibling", strangerApp: "stranger-app", strangerRobot: "stranger-robot",
}

func (w who) sender() bus.Sender {
	switch w {
	case app:
		return bus.Sender{Party: wire.App, Peer: "app", User: "owner"}
	case sibling:
		return bus.Sender{Party: wire.App, Peer: "sibling", User: "owner"}
	case strangerApp:
		return bus.Sender{Party: wire.App, Peer: "stranger-app", User: "stranger"}
	case robot, strangerRobot:
		return bus.Sender{Party: wire.Robot, Device: wire.DeviceID(names[w])}
	default:
		return bus.Sender{}
	}
}

// split returns the members of the set.
func (w who) split() []who {
	var all []who
	for one := app; one <= strangerRobot; one <<= 1 {
		if w&one != 0 {
			all = append(all, one)
		}
	}
	return all
}

// a returns a message of a type as it could reach the session.
func a(kind wire.Type) wire.Message {
	m := wire.Message{Type: kind, SessionID: id}
	switch kind {
	case wire.TypeHello, wire.TypeHeartbeat:
		m.Sessions = []wire.SessionReport{{SessionID: id, Connected: true}}
	case wire.TypeOffer:
		m.SDP = &wire.SessionDescription{Type: "offer", SDP: "v=0"}
	case wire.TypeAnswer:
		m.SDP = &wire.SessionDescription{Type: "answer", SDP: "v=0"}
	case wire.TypeRobotError:
		m.Error = "No camera"
	default:
	}
	return m
}

func from(w who, kind wire.Type) bus.Envelope {
	return bus.Envelope{From: w.sender(), Message: a(kind)}
}

func newMachine() *Machine { return NewMachine(id, app.sender(), "robot", grace, 0) }

// in returns a session that has come as far as a state.
func in(t testing.TB, state State) *Machine {
	t.Helper()
	m := newMachine()
	m.Start(wire.Message{ICEServers: &wire.ICEServers{}}, "")
	for _, step := range []bus.Envelope{
		Offered: from(robot, wire.TypeOffer), Answered: from(app, wire.TypeAnswer),
		Connected: from(robot, wire.TypeHeartbeat), Closed: from(app, wire.TypeClose),
	} {
		if m.State() == state {
			return m
		}
		if step.Message.Type != "" {
			m.Handle(step)
		}
	}
	if m.State() != state {
		t.Fatalf("%s, want %s", m.State(), state)
	}
	return m
}

// outcome is what a call did, in words: "app:webrtc_offer phase=15s offered"
// is a message, a timer set and a new state.
func outcome(m *Machine, before State, effects []Effect) string {
	var words []string
	for _, e := range effects {
		words = append(words, describe(e))
	}
	if m.State() != before {
		words = append(words, m.State().String())
	}
	return strings.Join(words, " ")
}

func describe(e Effect) string {
	if e.Address == "" {
		return fmt.Sprintf("%s=%s", [...]string{"phase", "grace", "renewal"}[e.Timer], e.After)
	}
	_, to, _ := strings.Cut(e.Address, ".")
	text := to + ":" + string(e.Message.Type)
	if detail := string(e.Message.Code) + string(e.Message.Reason); detail != "" {
		text += "/" + detail
	}
	return text
}

// states lists them all.
func states() []State { return []State{Requested, Offered, Answered, Connected, Closed} }
