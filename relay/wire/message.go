package wire

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// Type says what a message is.
type Type string

// Message types of CONTRACT §3 to §5.
const (
	TypeRequest     Type = "webrtc_request"
	TypeCredentials Type = "webrtc_credentials" //nolint:gosec // the name of a message
	TypeOffer       Type = "webrtc_offer"
	TypeAnswer      Type = "webrtc_answer"
	TypeICE         Type = "webrtc_ice"
	TypeClose       Type = "webrtc_close"
	TypeRobotError  Type = "webrtc_error"
	TypeResume      Type = "webrtc_resume"
	TypeResumed     Type = "webrtc_resumed"

	TypeError     Type = "error"
	TypePing      Type = "ping"
	TypePong      Type = "pong"
	TypeAuth      Type = "auth"
	TypeGoingAway Type = "going_away"

	TypeHello       Type = "hello"
	TypeHeartbeat   Type = "heartbeat"
	TypeCommand     Type = "command"
	TypeEvent       Type = "event" // stands for every event: see IsEvent
	TypeGetStatus   Type = "get_status"
	TypeStatus      Type = "status_response"
	TypeRobotStatus Type = "robot_status"
)

// Code names the cause of a failed request, for programs.
type Code string

// Error codes of CONTRACT §4.
const (
	CodeNoDevice       Code = "NO_DEVICE"
	CodeNotAuthorized  Code = "NOT_AUTHORIZED"
	CodeDeviceOffline  Code = "DEVICE_OFFLINE"
	CodeTURNError      Code = "TURN_ERROR"
	CodeViewerLimit    Code = "VIEWER_LIMIT"
	CodeOfferTimeout   Code = "OFFER_TIMEOUT"
	CodeAnswerTimeout  Code = "ANSWER_TIMEOUT"
	CodeSessionUnknown Code = "SESSION_UNKNOWN"
	CodeStaleCommand   Code = "STALE_COMMAND"
	CodeRateLimited    Code = "RATE_LIMITED"
	CodeTooLarge       Code = "MESSAGE_TOO_LARGE"
	CodeBadMessage     Code = "BAD_MESSAGE"
	CodeInternal       Code = "INTERNAL"
)

// Reason says why a session ended, in webrtc_close.
type Reason string

// Reasons the relay and its clients give. Others are forwarded as they are.
const (
	ReasonAppLeft       Reason = "app_left"        // the app closed it
	ReasonRobotLeft     Reason = "robot_left"      // the robot closed it
	ReasonSuperseded    Reason = "superseded"      // the same app asked again
	ReasonAppGone       Reason = "app_gone"        // its socket stayed away for the grace time
	ReasonRobotGone     Reason = "robot_gone"      // likewise
	ReasonOfferTimeout  Reason = "offer_timeout"   // the robot did not offer in time
	ReasonAnswerTimeout Reason = "answer_timeout"  // the app did not answer in time
	ReasonRobotError    Reason = "robot_error"     // the robot gave it up with webrtc_error
	ReasonUnauthorized  Reason = "unauthorized"    // the user no longer owns the device
	ReasonUnknown       Reason = "session_unknown" // there is no such session (any more)
	ReasonTooSlow       Reason = "too_slow"        // a party does not read what it is sent
)

// DegradedNoTURN is the value of Message.Degraded when only STUN is offered.
const DegradedNoTURN = "turn_unavailable"

// Message is one frame. Which fields a type has is said by its rule; the
// others are zero. A Message is a value: the slices and pointers in it are
// shared by its copies and never written to after [Decode].
type Message struct {
	Type       Type                `json:"type,omitempty"` // some events have none
	Event      string              `json:"event,omitempty"`
	Command    string              `json:"command,omitempty"`
	SessionID  SessionID           `json:"session_id,omitempty"`
	DeviceID   DeviceID            `json:"device_id,omitempty"`
	Target     DeviceID            `json:"target_device,omitempty"` // DeviceID, once decoded
	Data       Raw                 `json:"data,omitempty"`          // an object
	Timestamp  Raw                 `json:"timestamp,omitempty"`     // [Millis] of a command, [Stamp] of an event
	ICEServers *ICEServers         `json:"ice_servers,omitempty"`
	ExpiresIn  int                 `json:"expires_in,omitempty"` // seconds
	Degraded   string              `json:"degraded,omitempty"`
	SDP        *SessionDescription `json:"sdp,omitempty"`
	Candidate  *Candidate          `json:"candidate,omitempty"`
	Reason     Reason              `json:"reason,omitempty"`
	Error      string              `json:"error,omitempty"`
	Code       Code                `json:"code,omitempty"`
	Text       string              `json:"message,omitempty"`
	RetryAfter int                 `json:"retry_after,omitempty"` // seconds
	RetryMS    int                 `json:"retry_after_ms,omitempty"`
	Token      string              `json:"token,omitempty"`
	Restart    bool                `json:"restart,omitempty"`
	Ticket     Ticket              `json:"ticket,omitempty"`
	Sessions   []SessionReport     `json:"sessions,omitzero"` // nil: none are reported
	Online     *bool               `json:"online,omitempty"`
	Paired     *bool               `json:"device_paired,omitempty"`
	RobotUp    *bool               `json:"robot_online,omitempty"`
	// Fields are the members of an event that the relay does not look at, as
	// the robot wrote them, without the braces.
	Fields Raw `json:"-"`
}

// SessionReport is what a robot says of one of its sessions in hello and
// heartbeat.
type SessionReport struct {
	SessionID SessionID `json:"session_id"`
	Connected bool      `json:"connected"` // media has a path
	Ticket    Ticket    `json:"ticket,omitempty"`
}

// String names the message, its session and its robot: what it carries besides
// is secret (tokens, credentials) or private (addresses in SDP and candidates,
// what events tell of a home).
func (m Message) String() string {
	parts := []string{
		string(m.Type), m.Event, m.Command, string(m.SessionID), string(m.DeviceID), string(m.Code), string(m.Reason),
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// GoString is [Message.String], so that %#v prints no secret either.
func (m Message) GoString() string { return m.String() }

// LogValue is [Message.String].
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Encode returns the message as one frame. The caller owns the bytes.
func Encode(m Message) []byte {
	var frame bytes.Buffer
	encoder := json.NewEncoder(&frame)
	// <, > and & stay as they are: no page shows a frame, and one that grew on
	// its way through the relay could be too large for its receiver.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		// Every field is a string, a number, a bool or a struct of those, for
		// which Encode has no error to return.
		panic("wire: " + err.Error())
	}
	if len(m.Fields) > 0 { // what is encoded so far ends in "}\n" and is not empty
		frame.Truncate(frame.Len() - 2)
		frame.WriteByte(',')
		frame.Write(m.Fields)
		frame.WriteByte('}')
	}
	return bytes.TrimSuffix(frame.Bytes(), []byte{'\n'})
}
