package session

import (
	"slices"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// State is how far a session has come (CONTRACT §4, Session life).
type State uint8

// The states of a session. Connected is known only from robots that report
// it; with others a session stays Answered, which is no less alive.
const (
	Requested State = iota // the robot has been asked
	Offered                // the robot's offer is with the app
	Answered               // the app's answer is with the robot
	Connected              // the robot says that media has a path
	Closed
)

// String returns the state's name in CONTRACT.md.
func (s State) String() string {
	return [...]string{"requested", "offered", "answered", "connected", "closed"}[s]
}

// Timer names one of the clocks of a session.
type Timer uint8

// The clocks of a session.
const (
	PhaseTimer Timer = iota // the next step of the negotiation
	GraceTimer              // a lost socket's return
	// RenewalTimer is not the machine's own: at its end other credentials are due.
	RenewalTimer
)

// Effect is something the machine wants done: a message delivered to an
// address, or else (no address) a timer set. After = 0 stops the timer.
type Effect struct {
	Address string
	Message wire.Message

	Timer Timer
	After time.Duration
}

// Machine is the life of one session: envelopes and expired timers go in,
// effects come out. It has no clock, no I/O and no lock. It knows the two
// parties, and is the one place that says who may speak.
type Machine struct {
	id    wire.SessionID
	grace time.Duration
	app   bus.Sender // changes when the app resumes on another socket
	robot wire.DeviceID

	state  State
	away   wire.Party  // whose sockets are lost
	reason wire.Reason // why it closed

	servers    wire.Message  // what both know of ICE servers; nothing after Adopt
	unanswered *wire.Message // the offer that the app has not answered, if any
	// candidates is how many each side may send for one offer, 0: any number.
	candidates, fromApp, fromRobot int
	appAddress, robotAddress       string
	effects                        []Effect // reused by every call
}

// NewMachine returns a session between an app and a robot that is about to be
// asked. grace is how long a lost socket is waited for, candidates how many
// each side may send for one offer (0: any number).
func NewMachine(id wire.SessionID, app bus.Sender, robot wire.DeviceID, grace time.Duration, candidates int) *Machine {
	return &Machine{
		id: id, grace: grace, candidates: candidates, app: app, robot: robot,
		appAddress: bus.AppAddress(app.Peer), robotAddress: bus.RobotAddress(robot),
	}
}

// Start asks the robot. The app is told the same servers first, and whether
// they are fewer than they should be.
func (m *Machine) Start(servers wire.Message, degraded string) []Effect {
	m.effects = m.effects[:0]
	m.servers = servers
	m.servers.SessionID = m.id
	m.inform(wire.App, degraded)
	m.ask()
	m.set(PhaseTimer, wire.OfferTimeout)
	return m.effects
}

// Adopt takes up a session that another relay has left: both have media, or are
// about to, and have heard of servers that this relay does not know. The app must
// resume it, and the robot come, unless it is there.
func (m *Machine) Adopt(robotThere bool) []Effect {
	m.effects = m.effects[:0]
	m.state, m.away = Answered, wire.App
	if !robotThere {
		m.away |= wire.Robot
	}
	m.set(GraceTimer, max(m.grace, returnTime))
	return m.effects
}

// Renew tells both parties other servers. The robot restarts ICE with them
// (CONTRACT §4, row 11).
func (m *Machine) Renew(servers wire.Message) []Effect {
	m.effects = m.effects[:0]
	if m.state != Closed {
		m.servers = servers
		m.servers.SessionID = m.id
		m.inform(wire.App, "")
		m.inform(wire.Robot, "")
	}
	return m.effects
}

// ask sends the robot the request.
func (m *Machine) ask() {
	request := m.servers
	request.Type = wire.TypeRequest
	m.tell(wire.Robot, request)
}

// inform tells a party the servers.
func (m *Machine) inform(to wire.Party, degraded string) {
	credentials := m.servers
	credentials.Type, credentials.Degraded = wire.TypeCredentials, degraded
	m.tell(to, credentials)
}

// State returns how far the session has come.
func (m *Machine) State() State { return m.state }

// Reason returns why a closed session closed.
func (m *Machine) Reason() wire.Reason { return m.reason }

// App returns who watches: the socket changes when the app resumes.
func (m *Machine) App() bus.Sender { return m.app }

// Handle takes one envelope in. The effects are valid until the next call.
func (m *Machine) Handle(e bus.Envelope) []Effect {
	m.effects = m.effects[:0]
	switch {
	case m.state == Closed:
	case e.Kind == bus.End:
		m.end(e.Message.Reason)
	case e.Kind == bus.Message && e.Message.Type == wire.TypeResume && m.mayResume(e.From):
		m.resume(e.From, e.Message.Restart)
	case !m.isParty(e.From):
		m.refuse(e)
	case e.Kind == bus.Lost:
		m.lost(e.From.Party)
	case e.Kind == bus.Back:
		m.back(e.From.Party)
	default:
		m.message(e.From.Party, e.Message)
	}
	return m.effects
}

// Expire takes the end of a timer in. The effects are valid until the next
// call.
func (m *Machine) Expire(t Timer) []Effect {
	m.effects = m.effects[:0]
	switch {
	case m.state == Closed:
	case t == GraceTimer && m.away&wire.Robot != 0:
		m.close(wire.ReasonRobotGone, wire.App|wire.Robot)
	case t == GraceTimer && m.away != 0:
		m.close(wire.ReasonAppGone, wire.App|wire.Robot)
	case t == PhaseTimer && m.state == Requested:
		m.fail(wire.CodeOfferTimeout, "The robot did not answer in time", wire.ReasonOfferTimeout)
	case t == PhaseTimer && m.state == Offered:
		m.fail(wire.CodeAnswerTimeout, "The app did not answer the offer in time", wire.ReasonAnswerTimeout)
	}
	return m.effects
}

// isParty says whose words count.
func (m *Machine) isParty(from bus.Sender) bool {
	switch from.Party {
	case wire.App:
		return from.Peer == m.app.Peer
	case wire.Robot:
		return from.Device == m.robot
	default:
		return false
	}
}

// mayResume says who may take the session over on another socket.
func (m *Machine) mayResume(from bus.Sender) bool {
	return from.Party == wire.App && from.User == m.app.User
}

// refuse answers a stranger just as if the session did not exist.
func (m *Machine) refuse(e bus.Envelope) {
	if answer, ok := refusal(e); ok {
		m.effects = append(m.effects, answer)
	}
}

// refusal is the answer to what is said in a session that does not exist.
func refusal(e bus.Envelope) (to Effect, ok bool) {
	answer, ok := Unknown(e.Message)
	switch {
	case !ok:
	case e.From.Party == wire.App:
		return Effect{Address: bus.AppAddress(e.From.Peer), Message: answer}, true
	case e.From.Party == wire.Robot:
		return Effect{Address: bus.RobotAddress(e.From.Device), Message: answer}, true
	}
	return to, false
}

// Unknown returns what is said to somebody who speaks in a session that does
// not exist, or is not theirs. Most messages get no answer: they may have
// crossed the session's end on their way.
func Unknown(m wire.Message) (answer wire.Message, ok bool) {
	switch m.Type {
	case wire.TypeResume:
		return wire.Message{
			Type: wire.TypeError, SessionID: m.SessionID, Code: wire.CodeSessionUnknown, Text: "No such session",
		}, true
	case wire.TypeOffer: // a robot that offers still holds something to free
		return wire.Message{Type: wire.TypeClose, SessionID: m.SessionID, Reason: wire.ReasonUnknown}, true
	default:
		return wire.Message{}, false
	}
}

// said is a message type with the party it is from: a party that says what is
// not its to say is not heard.
type said struct {
	from wire.Party
	what wire.Type
}

// message handles what one of the parties says.
func (m *Machine) message(from wire.Party, msg wire.Message) {
	switch (said{from, msg.Type}) {
	case said{wire.Robot, wire.TypeOffer}:
		m.offer(msg)
	case said{wire.App, wire.TypeAnswer}:
		m.answer(msg)
	case said{wire.Robot, wire.TypeICE}:
		m.candidate(&m.fromRobot, wire.Robot, msg)
	case said{wire.App, wire.TypeICE}:
		if m.state != Requested { // before the offer an app has none
			m.candidate(&m.fromApp, wire.App, msg)
		}
	case said{wire.App, wire.TypeClose}, said{wire.Robot, wire.TypeClose}:
		m.closedBy(from, msg.Reason)
	case said{wire.Robot, wire.TypeRobotError}:
		m.tell(wire.App, msg)
		m.close(wire.ReasonRobotError, 0)
	case said{wire.Robot, wire.TypeHeartbeat}, said{wire.Robot, wire.TypeHello}:
		if msg.Sessions != nil { // robots in the field report none
			m.report(msg.Sessions)
		}
	default: // says nothing to a session
	}
}

// offer takes the first offer, the same offer sent again (apps in the field
// miss early ones), or a later one: an ICE restart.
func (m *Machine) offer(msg wire.Message) {
	m.fromApp, m.fromRobot = 0, 0
	m.tell(wire.App, msg)
	m.unanswered = &msg
	if m.state == Requested {
		m.state = Offered
		m.set(PhaseTimer, wire.AnswerTimeout)
	}
}

// candidate passes one on, or says to a side that has sent too many that it is
// lost. n counts them.
func (m *Machine) candidate(n *int, from wire.Party, msg wire.Message) {
	if *n++; m.candidates > 0 && *n > m.candidates {
		m.tell(from, wire.Message{
			Type: wire.TypeError, SessionID: m.id, Code: wire.CodeRateLimited, Text: "Too many ICE candidates for one offer",
		})
		return
	}
	m.tell(from.Other(), msg)
}

func (m *Machine) answer(msg wire.Message) {
	if m.state == Requested {
		return
	}
	m.tell(wire.Robot, msg)
	m.unanswered = nil
	if m.state == Offered {
		m.state = Answered
		m.set(PhaseTimer, 0)
	}
}

// report hears from the robot which sessions it has, and which of them carry
// media. One that it has offered and has no more is over: the robot was started
// anew, or could not say so.
func (m *Machine) report(sessions []wire.SessionReport) {
	at := slices.IndexFunc(sessions, func(s wire.SessionReport) bool { return s.SessionID == m.id })
	switch {
	case at < 0 && m.state != Requested:
		m.closedBy(wire.Robot, "")
	case at >= 0 && sessions[at].Connected && m.state == Answered:
		m.state = Connected
	}
}

// lost starts the grace time: media flows on peer to peer without the relay.
// A robot lost before it offered has nothing to keep.
func (m *Machine) lost(who wire.Party) {
	if who == wire.Robot && m.state == Requested {
		m.fail(wire.CodeDeviceOffline, "Device offline", wire.ReasonRobotGone)
		return
	}
	m.away |= who
	m.set(GraceTimer, max(m.grace, time.Nanosecond))
}

// back ends the grace time when nobody is away. A robot whose socket was
// replaced before it offered may have missed the request on the old one.
func (m *Machine) back(who wire.Party) {
	if m.away &^= who; m.away == 0 {
		m.set(GraceTimer, 0)
	}
	if who == wire.Robot && m.state == Requested {
		m.ask()
	}
}

// resume moves the session to another socket of the user who asked for it. An
// app that has lost its path as well gets an ICE restart, any other the offer that
// it may have missed.
func (m *Machine) resume(from bus.Sender, restart bool) {
	m.app, m.appAddress = from, bus.AppAddress(from.Peer)
	m.tell(wire.App, wire.Message{Type: wire.TypeResumed, SessionID: m.id})
	m.back(wire.App)
	switch {
	case restart && m.state >= Answered:
		m.restart()
	case m.unanswered != nil:
		m.tell(wire.App, *m.unanswered)
	}
}

// restart lets the robot restart ICE, with the servers that both know, or with
// others where this relay does not know them.
func (m *Machine) restart() {
	if m.servers.ICEServers == nil {
		m.set(RenewalTimer, time.Nanosecond)
		return
	}
	m.servers.ExpiresIn = 0 // it was true when they were new
	m.inform(wire.App, "")
	m.inform(wire.Robot, "")
}

func (m *Machine) closedBy(who wire.Party, reason wire.Reason) {
	switch {
	case reason != "":
	case who == wire.App:
		reason = wire.ReasonAppLeft
	default:
		reason = wire.ReasonRobotLeft
	}
	m.close(reason, wire.App|wire.Robot)
}

// end closes the session from outside. An app that asked again hears of its
// new session only: those in the field would take the old one's end for it.
func (m *Machine) end(reason wire.Reason) {
	if reason == wire.ReasonSuperseded {
		m.close(reason, wire.Robot)
		return
	}
	m.close(reason, wire.App|wire.Robot)
}

// fail ends a request with its one clear answer, and frees the robot.
func (m *Machine) fail(code wire.Code, text string, reason wire.Reason) {
	m.tell(wire.App, wire.Message{
		Type: wire.TypeError, SessionID: m.id, DeviceID: m.robot, Code: code, Text: text,
	})
	m.close(reason, wire.Robot)
}

// close ends the session and tells the named parties.
func (m *Machine) close(reason wire.Reason, tell wire.Party) {
	m.state, m.reason = Closed, reason
	msg := wire.Message{Type: wire.TypeClose, SessionID: m.id, Reason: reason}
	for _, to := range []wire.Party{wire.App, wire.Robot} {
		if tell&to != 0 {
			m.tell(to, msg)
		}
	}
}

func (m *Machine) tell(to wire.Party, msg wire.Message) {
	address := m.robotAddress
	if to == wire.App {
		address = m.appAddress
	}
	m.effects = append(m.effects, Effect{Address: address, Message: msg})
}

func (m *Machine) set(t Timer, after time.Duration) {
	m.effects = append(m.effects, Effect{Timer: t, After: after})
}
