package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// eventTypes are the typed frames a robot may send that are news for its
// owner's apps (CONTRACT §5): what robots in the field send and apps in the
// field show. Anything else goes as {"event":…}, under a name of its own.
//
//nolint:gochecknoglobals // a constant table
var eventTypes = map[Type]bool{
	"activity_event": true, "alert": true, "audio_played": true, "audio_state": true, "bark": true,
	"battery": true, "camera_status_changed": true, "command_ack": true, "detection": true, TypeEvent: true,
	"local_mode_starting": true, "metric_event": true, "mission": true, "mission_complete": true,
	"mission_progress": true, "mission_stopped": true, "mode_changed": true, "photo": true,
	"schedule_created": true, "schedule_deleted": true, "schedule_updated": true, "status": true,
	"status_update": true, "telemetry": true, "treat": true, "unknown_dog_detected": true,
	"upload_complete": true, "upload_error": true, "upload_result": true, "video_ready": true,
}

// IsEvent reports whether the message is a robot's news for its owner's apps:
// a type of CONTRACT §5, or no type and the name of an event.
func (m *Message) IsEvent() bool { return eventTypes[m.Type] || m.Type == "" && m.Event != "" }

// Kind returns the type, and [TypeEvent] of every event: one of [Types].
func (m *Message) Kind() Type {
	if m.IsEvent() {
		return TypeEvent
	}
	return m.Type
}

// EventName returns what an event is called: its type, or its name if it has
// none or only says that it is one.
func (m *Message) EventName() string {
	if m.Event != "" && (m.Type == "" || m.Type == TypeEvent) {
		return m.Event
	}
	return string(m.Type)
}

// readEvent keeps a robot's frame as it was written, if it is an event. A type
// that is no event's is left out: no robot can speak as the relay.
func (m *Message) readEvent(frame []byte) error {
	if _, ours := ruleOf[m.Type]; ours && m.Type != TypeEvent {
		return nil
	}
	if !validName(m.Event) {
		m.Event = ""
	}
	if !eventTypes[m.Type] {
		m.Type = ""
	}
	if !m.IsEvent() {
		return nil
	}
	var whole Raw
	_ = whole.UnmarshalJSON(frame) // it has been read once
	if whole.depth() > MaxDepth {
		return &BadMessageError{m.Type, "is nested too deep"}
	}
	m.Fields = whole.foreign()
	return nil
}

// foreign returns the members of an event's frame that are not the relay's
// business, with commas between them. It writes over r.
func (r Raw) foreign() Raw {
	kept := r[:0]
	for member, name := range r.members() {
		if isOurs(member[:name]) {
			continue
		}
		if len(kept) > 0 {
			kept = append(kept, ',')
		}
		kept = append(kept, member...)
	}
	return kept
}

// isOurs knows the names that encoding/json takes for ours: however their case
// and whatever is escaped. Another of the same name must not be left beside it.
func isOurs(quoted Raw) bool {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		quoted = unescaped(quoted)
	}
	for _, ours := range []string{`"type"`, `"event"`, `"device_id"`, `"timestamp"`} {
		if strings.EqualFold(string(quoted), ours) {
			return true
		}
	}
	return false
}

// unescaped returns a string whose characters stand for themselves, in quotes.
func unescaped(quoted Raw) Raw {
	var text string
	_ = json.Unmarshal(quoted, &text) // it is a string
	return Raw(`"` + text + `"`)
}

// validName is the form of the names of commands and events.
func validName(name string) bool {
	if name == "" || len(name) > MaxNameLen {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
