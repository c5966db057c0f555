package wire

import "strings"

// Party is an end of a socket: who sent a message.
type Party uint8

// The three parties of the protocol. They are bits, so that a rule can name
// several.
const (
	App Party = 1 << iota
	Robot
	Relay
)

// String returns the party's name in CONTRACT.md.
func (p Party) String() string {
	switch p {
	case App:
		return "app"
	case Robot:
		return "robot"
	case Relay:
		return "relay"
	default:
		return "parties"
	}
}

// Other returns the opposite end of a session.
func (p Party) Other() Party {
	if p == App {
		return Robot
	}
	return App
}

// field is a set of Message fields besides the type.
type field uint32

const (
	fSession field = 1 << iota
	fDevice
	fICEServers
	fExpires
	fDegraded
	fSDP
	fCandidate
	fReason
	fError
	fCode
	fText
	fRetryAfter
	fRetryMS
	fToken
	fRestart
	fTicket
	fSessions
	fOnline
	fPaired
	fRobotUp
	fEvent
	fCommand
	fTarget
	fData
	fTimestamp
	fFields
)

// rule is what the contract says of one message type.
type rule struct {
	from  Party // who sends it
	needs field // without these it is refused
	may   field // these are kept if present; all others are dropped
}

// ruleOf is the protocol as a table. webrtc_request stands in it twice on the
// wire: an app names a device, the relay a session.
//
//nolint:gochecknoglobals // a constant table
var ruleOf = map[Type]rule{
	TypeRequest:     {from: App | Relay, may: fDevice | fSession | fICEServers | fExpires | fTicket},
	TypeCredentials: {from: Relay, needs: fSession | fICEServers, may: fExpires | fDegraded | fTicket},
	TypeOffer:       {from: Robot | Relay, needs: fSession | fSDP},
	TypeAnswer:      {from: App | Relay, needs: fSession | fSDP},
	TypeICE:         {from: App | Robot | Relay, needs: fSession, may: fCandidate},
	TypeClose:       {from: App | Robot | Relay, needs: fSession, may: fReason},
	TypeRobotError:  {from: Robot | Relay, needs: fSession | fError, may: fCode},
	TypeResume:      {from: App, needs: fSession, may: fRestart | fTicket},
	TypeResumed:     {from: Relay, needs: fSession},

	TypeError:     {from: Relay, needs: fCode | fText, may: fSession | fDevice | fRetryAfter | fCommand},
	TypePing:      {from: App | Robot | Relay},
	TypePong:      {from: App | Robot | Relay},
	TypeAuth:      {from: App, needs: fToken},
	TypeGoingAway: {from: Relay, may: fRetryMS},

	TypeHello:       {from: Robot, may: fSessions},
	TypeHeartbeat:   {from: Robot, may: fSessions},
	TypeCommand:     {from: App | Relay, needs: fCommand, may: fDevice | fTarget | fData | fTimestamp},
	TypeEvent:       {from: Robot | Relay, may: fDevice | fEvent | fTimestamp | fFields},
	TypeGetStatus:   {from: App, may: fDevice},
	TypeStatus:      {from: Relay, needs: fDevice | fPaired | fRobotUp},
	TypeRobotStatus: {from: Relay, needs: fDevice | fOnline},
}

// rule returns what holds for the message, if it is one that party from may
// have heard of.
func (m *Message) rule(from Party) (r rule, known bool) {
	if from == App {
		r, known = ruleOf[m.Type]
		return r, known
	}
	r, known = ruleOf[m.Kind()]
	switch {
	case m.Type == TypeCommand:
		r.may &^= fDevice | fTarget // it is at its robot
	case m.IsEvent() && from == Robot:
		r.may &^= fDevice // the relay knows better
	case m.IsEvent():
		r.needs = fDevice | fTimestamp
	}
	return r, known
}

// fieldNamed returns the field at a JSON path, or none that a rule can have.
func fieldNamed(path string) field {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "Message."), ".")
	return map[string]field{
		"session_id": fSession, "device_id": fDevice, "ice_servers": fICEServers, "expires_in": fExpires,
		"degraded": fDegraded, "sdp": fSDP, "candidate": fCandidate, "reason": fReason, "error": fError,
		"code": fCode, "message": fText, "retry_after": fRetryAfter, "retry_after_ms": fRetryMS,
		"token": fToken, "restart": fRestart, "ticket": fTicket, "sessions": fSessions, "online": fOnline, "device_paired": fPaired, "robot_online": fRobotUp,
		"command": fCommand, "target_device": fTarget,
	}[name]
}

// fields returns the fields of m that are set.
func (m *Message) fields() field {
	var f field
	for _, is := range []struct {
		bit field
		set bool
	}{
		{fSession, m.SessionID != ""},
		{fDevice, m.DeviceID != ""},
		{fICEServers, m.ICEServers != nil},
		{fSDP, m.SDP != nil},
		{fCandidate, m.Candidate != nil},
		{fError, m.Error != ""},
		{fCode, m.Code != ""},
		{fText, m.Text != ""},
		{fToken, m.Token != ""},
		{fOnline, m.Online != nil},
		{fPaired, m.Paired != nil},
		{fRobotUp, m.RobotUp != nil},
		{fCommand, m.Command != ""},
		{fTimestamp, m.Timestamp != nil},
	} {
		if is.set {
			f |= is.bit
		}
	}
	return f
}

// only returns a copy of m with the type and the named fields.
func (m *Message) only(f field) Message {
	out := Message{Type: m.Type}
	keep(f, fSession, &out.SessionID, m.SessionID)
	keep(f, fDevice, &out.DeviceID, m.DeviceID)
	keep(f, fICEServers, &out.ICEServers, m.ICEServers)
	keep(f, fExpires, &out.ExpiresIn, m.ExpiresIn)
	keep(f, fDegraded, &out.Degraded, m.Degraded)
	keep(f, fSDP, &out.SDP, m.SDP)
	keep(f, fCandidate, &out.Candidate, m.Candidate)
	keep(f, fReason, &out.Reason, m.Reason)
	keep(f, fError, &out.Error, m.Error)
	keep(f, fCode, &out.Code, m.Code)
	keep(f, fText, &out.Text, m.Text)
	keep(f, fRetryAfter, &out.RetryAfter, m.RetryAfter)
	keep(f, fRetryMS, &out.RetryMS, m.RetryMS)
	keep(f, fToken, &out.Token, m.Token)
	keep(f, fRestart, &out.Restart, m.Restart)
	keep(f, fTicket, &out.Ticket, m.Ticket)
	keep(f, fSessions, &out.Sessions, m.Sessions)
	keep(f, fOnline, &out.Online, m.Online)
	keep(f, fPaired, &out.Paired, m.Paired)
	keep(f, fRobotUp, &out.RobotUp, m.RobotUp)
	keep(f, fEvent, &out.Event, m.Event)
	keep(f, fCommand, &out.Command, m.Command)
	keep(f, fTarget, &out.Target, m.Target)
	keep(f, fData, &out.Data, m.Data)
	keep(f, fTimestamp, &out.Timestamp, m.Timestamp)
	keep(f, fFields, &out.Fields, m.Fields)
	return out
}

func keep[T any](set, bit field, to *T, from T) {
	if set&bit != 0 {
		*to = from
	}
}
