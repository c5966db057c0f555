package session

import (
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

func lost(w who) bus.Envelope { return bus.Envelope{Kind: bus.Lost, From: w.sender()} }

func back(w who) bus.Envelope { return bus.Envelope{Kind: bus.Back, From: w.sender()} }

// step is an envelope, or a timer that ends, and what must come of it.
type step struct {
	envelope bus.Envelope
	expires  bool
	timer    Timer
	want     string
}

func on(e bus.Envelope, want string) step { return step{envelope: e, want: want} }

func after(timer Timer, want string) step { return step{expires: true, timer: timer, want: want} }

// TestStories are sessions in which one thing depends on another.
func TestStories(t *testing.T) {
	for name, story := range map[string]struct {
		begins State
		steps  []step
	}{
		"app away and back": {Answered, []step{
			on(lost(app), "grace=1m0s"),
			on(back(app), "grace=0s"),
			after(GraceTimer, ""),
			on(from(app, wire.TypeICE), "robot:webrtc_ice"),
		}},
		"both away, one back": {Connected, []step{
			on(lost(app), "grace=1m0s"),
			on(lost(robot), "grace=1m0s"),
			on(back(app), ""),
			after(GraceTimer, "app:webrtc_close/robot_gone robot:webrtc_close/robot_gone closed"),
		}},
		"both away, both back": {Connected, []step{
			on(lost(robot), "grace=1m0s"),
			on(lost(app), "grace=1m0s"),
			on(back(robot), ""),
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed grace=0s"),
			after(GraceTimer, ""),
		}},
		"a resumed session belongs to the new socket": {Answered, []step{
			on(lost(app), "grace=1m0s"),
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed grace=0s"),
			on(from(app, wire.TypeICE), ""),
			on(from(app, wire.TypeClose), ""),
			on(lost(app), ""),
			on(from(robot, wire.TypeOffer), "sibling:webrtc_offer"),
			on(from(sibling, wire.TypeAnswer), "robot:webrtc_answer"),
			on(from(sibling, wire.TypeClose), "sibling:webrtc_close/app_left robot:webrtc_close/app_left closed"),
		}},
		"a stranger's resume changes nothing": {Answered, []step{
			on(lost(app), "grace=1m0s"),
			on(from(strangerApp, wire.TypeResume), "stranger-app:error/SESSION_UNKNOWN"),
			on(from(strangerApp, wire.TypeICE), ""),
			after(GraceTimer, "app:webrtc_close/app_gone robot:webrtc_close/app_gone closed"),
		}},
		"an offer sent again does not give the app more time": {Requested, []step{
			on(from(robot, wire.TypeOffer), "app:webrtc_offer phase=15s offered"),
			on(from(robot, wire.TypeOffer), "app:webrtc_offer"),
			after(PhaseTimer, "app:error/ANSWER_TIMEOUT robot:webrtc_close/answer_timeout closed"),
			on(from(app, wire.TypeAnswer), ""),
		}},
		"an app that missed the offer gets it when it is back": {Requested, []step{
			on(lost(app), "grace=1m0s"),
			on(from(robot, wire.TypeOffer), "app:webrtc_offer phase=15s offered"),
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed grace=0s sibling:webrtc_offer"),
			on(from(sibling, wire.TypeAnswer), "robot:webrtc_answer phase=0s answered"),
			on(from(app, wire.TypeResume), "app:webrtc_resumed grace=0s"),
			on(from(robot, wire.TypeOffer), "app:webrtc_offer"),
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed grace=0s sibling:webrtc_offer"),
		}},
		"an ICE restart": {Connected, []step{
			on(from(robot, wire.TypeOffer), "app:webrtc_offer"),
			on(from(app, wire.TypeAnswer), "robot:webrtc_answer"),
			after(PhaseTimer, ""),
		}},
		"a robot replaced before it offers is asked again": {Requested, []step{
			on(back(robot), "grace=0s robot:webrtc_request"),
			on(from(robot, wire.TypeOffer), "app:webrtc_offer phase=15s offered"),
			on(back(robot), "grace=0s"),
		}},
		"closed is closed": {Closed, []step{
			on(from(robot, wire.TypeOffer), ""),
			on(bus.Envelope{Kind: bus.End}, ""),
			on(from(strangerApp, wire.TypeResume), ""),
			after(PhaseTimer, ""),
			after(GraceTimer, ""),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, in(t, story.begins), story.steps)
		})
	}
}

// play lets the steps happen one after the other.
func play(t *testing.T, m *Machine, steps []step) {
	t.Helper()
	for i, s := range steps {
		before := m.State()
		var effects []Effect
		if s.expires {
			effects = m.Expire(s.timer)
		} else {
			effects = m.Handle(s.envelope)
		}
		if got := outcome(m, before, effects); got != s.want {
			t.Fatalf("step %d: %q, want %q", i+1, got, s.want)
		}
	}
}

// TestStart: the app hears first, both hear the same servers, and the robot's
// time begins.
func TestStart(t *testing.T) {
	m := newMachine()
	servers := &wire.ICEServers{Servers: []wire.ICEServer{{URLs: wire.URLs{"stun:s"}}}}
	effects := m.Start(wire.Message{ICEServers: servers, ExpiresIn: 60}, wire.DegradedNoTURN)
	want := "app:webrtc_credentials robot:webrtc_request phase=" + wire.OfferTimeout.String()
	if got := outcome(m, Requested, effects); got != want {
		t.Fatalf("%q, want %q", got, want)
	}
	for _, e := range effects[:2] {
		if e.Message.SessionID != id || e.Message.ICEServers != servers || e.Message.ExpiresIn != 60 {
			t.Errorf("%s", wire.Encode(e.Message))
		}
	}
	again := m.Handle(back(robot))[1]
	if string(wire.Encode(again.Message)) != string(wire.Encode(wire.Message{
		Type: wire.TypeRequest, SessionID: id, ICEServers: servers, ExpiresIn: 60,
	})) {
		t.Errorf("asked again with %s", wire.Encode(again.Message))
	}
}

// TestForwarding: what is passed on is what was said.
func TestForwarding(t *testing.T) {
	for _, c := range []struct {
		from  who
		state State
		kind  wire.Type
	}{
		{robot, Requested, wire.TypeOffer},
		{app, Offered, wire.TypeAnswer},
		{robot, Answered, wire.TypeICE},
		{app, Answered, wire.TypeICE},
		{robot, Answered, wire.TypeRobotError},
	} {
		m := in(t, c.state)
		said := a(c.kind)
		effects := m.Handle(bus.Envelope{From: c.from.sender(), Message: said})
		if string(wire.Encode(effects[0].Message)) != string(wire.Encode(said)) {
			t.Errorf("%s became %s", wire.Encode(said), wire.Encode(effects[0].Message))
		}
	}
}

// TestErrorsNameTheSession: an app with several requests knows which failed.
func TestErrorsNameTheSession(t *testing.T) {
	m := in(t, Requested)
	failure := m.Expire(PhaseTimer)[0].Message
	if failure.SessionID != id || failure.DeviceID != "robot" || failure.Text == "" {
		t.Errorf("%s", wire.Encode(failure))
	}
}

func TestReasons(t *testing.T) {
	m := in(t, Answered)
	said := a(wire.TypeClose)
	said.Reason = "battery"
	m.Handle(bus.Envelope{From: robot.sender(), Message: said})
	if m.Reason() != "battery" {
		t.Errorf("the robot's own reason became %s", m.Reason())
	}
}

// TestReports: what comes of the list of its sessions that a robot sends.
func TestReports(t *testing.T) {
	const gone = "app:webrtc_close/robot_left robot:webrtc_close/robot_left closed"
	for _, row := range []struct {
		name     string
		sessions []wire.SessionReport
		cells
	}{
		{"of a robot in the field", nil, nothing()},
		{"of none", []wire.SessionReport{}, cells{"", gone, gone, gone}},
		{"of another", []wire.SessionReport{{SessionID: "session-2", Connected: true}}, cells{"", gone, gone, gone}},
		{"of two", []wire.SessionReport{{SessionID: "session-2", Connected: true}, {SessionID: id}}, nothing()},
		{"of media", []wire.SessionReport{{SessionID: id, Connected: true}}, cells{"", "", "connected", ""}},
	} {
		for _, kind := range []wire.Type{wire.TypeHello, wire.TypeHeartbeat} {
			for _, state := range states() {
				m := in(t, state)
				report := bus.Envelope{From: robot.sender(), Message: wire.Message{Type: kind, Sessions: row.sessions}}
				if got, want := outcome(m, state, m.Handle(report)), append(row.cells[:], "")[state]; got != want {
					t.Errorf("%s, %s %s: %q, want %q", state, kind, row.name, got, want)
				}
			}
		}
	}
}

// TestNoGrace: without a grace time a lost socket ends the session at once, by
// its timer like any other.
func TestNoGrace(t *testing.T) {
	m := NewMachine(id, app.sender(), "robot", 0, 0)
	m.Start(wire.Message{}, "")
	if e := m.Handle(lost(app))[0]; e.After <= 0 || e.After > time.Millisecond {
		t.Errorf("After is %s, and 0 stops a timer", e.After)
	}
}

// TestTooManyCandidates: what a side sends beyond the limit is answered, not
// passed on, until the next offer. The other side has its own count.
func TestTooManyCandidates(t *testing.T) {
	m := NewMachine(id, app.sender(), "robot", grace, 2)
	m.Start(wire.Message{}, "")
	says := func(w who, kind wire.Type, want string) {
		t.Helper()
		before := m.State()
		if got := outcome(m, before, m.Handle(from(w, kind))); got != want {
			t.Errorf("%s of the %s: %q, want %q", kind, names[w], got, want)
		}
	}
	says(robot, wire.TypeICE, "app:webrtc_ice")
	says(robot, wire.TypeOffer, "app:webrtc_offer phase=15s offered")
	for range 2 {
		for range 2 {
			says(robot, wire.TypeICE, "app:webrtc_ice")
			says(app, wire.TypeICE, "robot:webrtc_ice")
		}
		says(robot, wire.TypeICE, "robot:error/RATE_LIMITED")
		says(app, wire.TypeICE, "app:error/RATE_LIMITED")
		says(robot, wire.TypeOffer, "app:webrtc_offer")
	}
}
