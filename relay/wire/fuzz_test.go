package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzDecode: whatever arrives is refused in one of the two known ways, or
// becomes a message that can be sent on and is read the same at the other end.
func FuzzDecode(f *testing.F) {
	for name := range golden() {
		for party := range uint8(3) {
			f.Add(readGolden(f, name), party)
		}
	}
	for name := range historical {
		f.Add(readGolden(f, name), uint8(2))
	}
	f.Add([]byte(`{"type":"webrtc_ice","session_id":"a","candidate":{"candidate":"\ud800\u2028<"}}`), uint8(0))
	f.Add([]byte(`{"event":"e","Event":"f","\u0065vent":"g","a":"\\\"},{","b":[{},[]],"":{"type":1}}`), uint8(1))
	f.Add([]byte(`{"type":"command","command":"c","data":{"a":"\ud800\u2028<"},"timestamp":-1.5e-3}`), uint8(0))
	f.Add([]byte(`{"type":"webrtc_credentials","session_id":"a","ice_servers":[{},null,{"urls":null}]}`), uint8(2))
	f.Fuzz(func(t *testing.T, frame []byte, party uint8) {
		from := [...]Party{App, Robot, Relay}[party%3]
		m, err := Decode(frame, from)
		if err != nil {
			if bad := (*BadMessageError)(nil); !errors.As(err, &bad) && !errors.Is(err, ErrUnknownType) {
				t.Fatalf("an error of its own: %v", err)
			}
			return
		}
		checkAccepted(t, m, from)
		if m.IsEvent() && from == Robot {
			checkForwarded(t, frame, m)
		}
	})
}

// checkForwarded: an app reads of a robot's event what the robot wrote, and
// what the relay has filled in.
func checkForwarded(t *testing.T, frame []byte, m Message) {
	t.Helper()
	m.DeviceID, m.Timestamp = deviceID, Stamp(time.Time{})
	sent, err := Decode(Encode(m), Relay)
	var wrote, reads map[string]any
	switch {
	case err != nil || !bytes.Equal(Encode(sent), Encode(m)):
		t.Fatalf("the app reads %s, %v", Encode(sent), err)
	case json.Unmarshal(frame, &wrote) != nil || json.Unmarshal(Encode(m), &reads) != nil:
		t.Fatalf("not JSON: %s", Encode(m))
	case reads["device_id"] != string(deviceID) || !sent.IsEvent():
		t.Fatalf("the app reads %s", Encode(m))
	}
	for name, value := range reads {
		if !isOurs(Raw(strconv.Quote(name))) && !reflect.DeepEqual(value, wrote[name]) {
			t.Fatalf("%q was %v, is %v", name, wrote[name], value)
		}
	}
}

func checkAccepted(t *testing.T, m Message, from Party) {
	t.Helper()
	r, _ := m.rule(from)
	written := Encode(m)
	again, err := Decode(written, from)
	switch {
	case err != nil:
		t.Fatalf("accepted once, refused when sent on: %v\n%s", err, written)
	case !bytes.Equal(Encode(again), written):
		t.Fatalf("read differently at the other end:\n%s\n%s", written, Encode(again))
	case len(written) > MaxFrame:
		t.Fatalf("%d bytes, more than a receiver takes", len(written))
	case !utf8.Valid(written):
		t.Fatalf("not UTF-8: %q", written)
	case r.from&from == 0:
		t.Fatalf("%s does not come from the %s", m.Type, from)
	case m.fields()&r.needs != r.needs:
		t.Fatalf("a field is missing: %s", written)
	case !bytes.Equal(Encode(m.only(r.needs|r.may)), written):
		t.Fatalf("a field too many: %s", written)
	case m.Target != "":
		t.Fatalf("two addresses: %s", written)
	case len(m.Data) > MaxData || m.Data.depth() > MaxDepth || Raw(written).depth() > MaxDepth+1:
		t.Fatalf("out of bounds: %s", written)
	}
	for _, text := range []string{string(m.Reason), m.Error, m.Text, string(m.Code)} {
		if len(text) > MaxText {
			t.Fatalf("%d bytes of text", len(text))
		}
	}
}
