package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrUnknownType is returned for a well-formed frame of a type this version
// does not know. Receivers ignore such frames: that is how the protocol grows.
var ErrUnknownType = errors.New("unknown message type")

// BadMessageError is returned for a frame that breaks the contract. Its text
// names the broken rule and repeats nothing of the frame's content.
type BadMessageError struct{ Rule string }

func (e *BadMessageError) Error() string { return e.Rule }

// mayOutgrow is the size of a frame in bytes up to which its message fits into
// [MaxFrame] again, whatever becomes longer by being written our way: U+2028 is
// escaped, a server without URLs gets a field.
const mayOutgrow = MaxFrame / 5

// Decode reads one frame that party from has sent. The message it returns has
// every field its type needs, none that it does not have, and only values
// within bounds, so that it can be sent on in one frame. The error is
// [ErrUnknownType] or a [*BadMessageError].
func Decode(frame []byte, from Party) (Message, error) {
	var m Message
	if !utf8.Valid(frame) {
		return m, &BadMessageError{"a message is UTF-8"}
	}
	if !startsWith(bytes.TrimLeft(frame, " \t\r\n"), '{') {
		return m, &BadMessageError{"a message is a JSON object"}
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return Message{}, malformed(frame, from)
	}
	r, known := ruleOf[m.Type]
	switch {
	case m.Type == "" && from == App:
		return Message{}, &BadMessageError{"a message has a type"}
	case !known:
		return Message{}, ErrUnknownType
	case r.from&from == 0:
		return Message{}, &BadMessageError{fmt.Sprintf("%s does not come from the %s", m.Type, from)}
	case r.needs&^m.fields() != 0:
		return Message{}, &BadMessageError{fmt.Sprintf("%s lacks a field", m.Type)}
	}
	m = m.only(r.needs | r.may)
	if err := m.check(from); err != nil {
		return Message{}, err
	}
	if len(frame) > mayOutgrow && len(Encode(m)) > MaxFrame {
		return Message{}, &BadMessageError{fmt.Sprintf("%s is too long", m.Type)}
	}
	return m, nil
}

// malformed tells a frame whose fields have the wrong shape from one of an
// unknown type, whose fields are none of our business.
func malformed(frame []byte, from Party) error {
	var head struct {
		Type *Type `json:"type"`
	}
	switch err := json.Unmarshal(frame, &head); {
	case err != nil, head.Type == nil && from == App:
		return &BadMessageError{"a message is a JSON object with a type"}
	case head.Type == nil || ruleOf[*head.Type] == rule{}:
		return ErrUnknownType
	default:
		return &BadMessageError{fmt.Sprintf("%s has a field of the wrong shape", *head.Type)}
	}
}

// check bounds the values of a message's own fields.
func (m *Message) check(from Party) error {
	for _, broken := range []string{m.checkIDs(), m.checkSDP(), m.checkRequest(from)} {
		if broken != "" {
			return &BadMessageError{fmt.Sprintf("%s: %s", m.Type, broken)}
		}
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
	if m.DeviceID != "" && !m.DeviceID.Valid() {
		return "device_id is malformed"
	}
	for _, s := range m.Sessions {
		if !s.SessionID.Valid() {
			return "session_id is malformed"
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
