package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// ErrUnknownType is returned for a well-formed frame of a type this version
// does not know. Receivers ignore such frames: that is how the protocol grows.
var ErrUnknownType = errors.New("unknown message type")

// BadMessageError is returned for a frame that breaks the contract. Its text
// names the broken rule and repeats nothing of the frame's content.
type BadMessageError struct {
	Type Type // the message's, if it is a known one
	Rule string
}

func (e *BadMessageError) Error() string {
	if e.Type == "" {
		return e.Rule
	}
	return string(e.Type) + ": " + e.Rule
}

// mayOutgrow is the size of a frame in bytes up to which its message fits into
// [MaxFrame] again, whatever becomes longer by being written our way: U+2028 is
// escaped, a server without URLs gets a field.
const mayOutgrow = MaxFrame / 5

// Decode reads one frame that party from has sent. The message it returns has
// every field its type needs, none that it does not have, and only values
// within bounds, so that it can be sent on in one frame. What a frame holds
// besides does no harm, whatever its shape. The error is [ErrUnknownType] or a
// [*BadMessageError].
func Decode(frame []byte, from Party) (Message, error) {
	var m Message
	if !utf8.Valid(frame) {
		return m, &BadMessageError{Rule: "a message is UTF-8"}
	}
	if !startsWith(bytes.TrimLeft(frame, " \t\r\n"), '{') {
		return m, &BadMessageError{Rule: "a message is a JSON object"}
	}
	misshapen, err := m.parse(frame)
	if err != nil {
		return Message{}, &BadMessageError{Rule: "a message is a JSON object"}
	}
	if from != App {
		if err = m.readEvent(frame); err != nil {
			return Message{}, err
		}
	}
	if m, err = m.obey(from, misshapen); err != nil {
		return Message{}, err
	}
	limit := MaxFrame
	if from == Robot && m.IsEvent() {
		limit -= MaxFilledIn
	}
	if len(frame) > mayOutgrow && len(Encode(m)) > limit {
		return Message{}, &BadMessageError{m.Type, "is too long"}
	}
	return m, nil
}

// parse reads what a frame holds. misshapen is the first field that was not read, nil
// if all were. encoding/json reads on after a field of the wrong shape, but not after
// one that says so itself, as servers do: then they are read apart.
func (m *Message) parse(frame []byte) (misshapen *json.UnmarshalTypeError, err error) {
	if json.Unmarshal(frame, m) == nil {
		return nil, nil
	}
	*m = Message{}
	read := struct {
		*Message
		Servers Raw `json:"ice_servers"`
	}{Message: m}
	err = json.Unmarshal(frame, &read)
	misshapen, isShape := errors.AsType[*json.UnmarshalTypeError](err)
	if err != nil && !isShape {
		return nil, err
	}
	if len(read.Servers) > 0 && json.Unmarshal(read.Servers, &m.ICEServers) != nil {
		m.ICEServers = nil
		misshapen = cmp.Or(misshapen, &json.UnmarshalTypeError{Field: "ice_servers"})
	}
	return misshapen, nil
}

// obey holds the message to the rule of its type. misshapen is the first field
// that was not read, nil if all were.
func (m *Message) obey(from Party, misshapen *json.UnmarshalTypeError) (Message, error) {
	r, known := m.rule(from)
	switch {
	case m.Type == "" && from == App:
		return Message{}, &BadMessageError{Rule: "a message has a type"}
	case !known:
		return Message{}, ErrUnknownType
	case r.from&from == 0:
		return Message{}, &BadMessageError{m.Type, "does not come from the " + from.String()}
	case misshapen != nil && (r.needs|r.may)&fieldNamed(misshapen.Field) != 0:
		return Message{}, &BadMessageError{m.Type, "has a field of the wrong shape"}
	case r.needs&^m.fields() != 0:
		return Message{}, &BadMessageError{m.Type, "lacks a field"}
	}
	out := m.only(r.needs | r.may)
	return out, out.check(from)
}

// check bounds the values of a message's own fields.
func (m *Message) check(from Party) error {
	for _, broken := range []string{m.checkIDs(), m.checkSDP(), m.checkRequest(from), m.checkCommand()} {
		if broken != "" {
			return &BadMessageError{m.Type, broken}
		}
	}
	if m.Type == TypeICE && m.Candidate == nil {
		m.Candidate = &Candidate{} // null: what browsers say when there are no more
	}
	if m.IsEvent() && !m.Timestamp.isTime() {
		m.Timestamp = nil // the relay will say when it was
	}
	for _, text := range []*string{(*string)(&m.Reason), &m.Error, &m.Text, (*string)(&m.Code)} {
		*text = clip(*text)
	}
	return nil
}

func (m *Message) checkIDs() string {
	if m.SessionID != "" && !m.SessionID.Valid() {
		return "session_id is malformed"
	}
	if m.DeviceID == "" {
		m.DeviceID = m.Target
	}
	m.Target = ""
	if m.DeviceID != "" && !m.DeviceID.Valid() {
		return "device_id is malformed"
	}
	if len(m.Sessions) > MaxSessions {
		return "too many sessions"
	}
	tickets := []Ticket{m.Ticket}
	for _, s := range m.Sessions {
		if !s.SessionID.Valid() {
			return "session_id is malformed"
		}
		tickets = append(tickets, s.Ticket)
	}
	for _, ticket := range tickets {
		if len(ticket) > MaxTicket {
			return "a ticket is too long"
		}
	}
	return ""
}

func (m *Message) checkSDP() string {
	if m.SDP == nil {
		return ""
	}
	if want := strings.TrimPrefix(string(m.Type), "webrtc_"); m.SDP.Type != want {
		return "sdp.type is not " + want
	}
	if m.SDP.SDP == "" {
		return "sdp.sdp is empty"
	}
	return ""
}

// checkRequest looks at the one type that has two shapes.
func (m *Message) checkRequest(from Party) string {
	if m.Type != TypeRequest {
		return ""
	}
	if from == App {
		*m = m.only(fDevice)
		return ""
	}
	if m.SessionID == "" || m.ICEServers == nil {
		return "the robot's request lacks session_id or ice_servers"
	}
	return ""
}

// clip cuts free text at [MaxText] bytes: it is read by people, and a longer
// one is no reason to lose the message.
func clip(text string) string {
	if len(text) <= MaxText {
		return text
	}
	return strings.ToValidUTF8(text[:MaxText], "")
}
