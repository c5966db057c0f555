package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// s is the session_id field of a frame.
const s = `"session_id":"` + string(sessionID) + `"`

func TestDecodeRefuses(t *testing.T) {
	const offer, answer = `{"type":"webrtc_offer",`, `{"type":"webrtc_answer",`
	for _, c := range []struct {
		name  string
		from  Party
		frame string
		rule  string // how the BadMessageError begins
	}{
		{"nothing", App, ``, "a message is a JSON object"},
		{"no JSON", App, `hello`, "a message is a JSON object"},
		{"a list", App, `[{"type":"ping"}]`, "a message is a JSON object"},
		{"a string", Robot, `"ping"`, "a message is a JSON object"},
		{"null", Robot, `null`, "a message is a JSON object"},
		{"cut off", App, `{"type":"ping"`, "a message is a JSON object"},
		{"two objects", App, `{"type":"ping"}{"type":"ping"}`, "a message is a JSON object"},
		{"no UTF-8", App, "{\"type\":\"ping\",\"x\":\"\xff\"}", "a message is UTF-8"},
		{"no type", App, `{}`, "a message has a type"},
		{"null type", App, `{"type":null}`, "a message has a type"},
		{"no type, wrong shape", App, `{"token":1}`, "a message has a type"},
		{"type of a wrong shape", App, `{"type":7}`, "a message has a type"},

		{"app offers", App, offer + s + `,"sdp":{"type":"offer","sdp":"v=0"}}`, "webrtc_offer: does not come from the app"},
		{"robot answers", Robot, answer + s + `,"sdp":{"type":"answer","sdp":"v=0"}}`, "webrtc_answer: does not come from the robot"},
		{"robot requests", Robot, `{"type":"webrtc_request"}`, "webrtc_request: does not come from the robot"},
		{"relay logs in", Relay, `{"type":"auth","token":"t"}`, "auth: does not come from the relay"},
		{"app reports an error", App, `{"type":"error","code":"INTERNAL","message":"m"}`, "error: does not come from the app"},

		{"no session", App, `{"type":"webrtc_close"}`, "webrtc_close: lacks a field"},
		{"empty session", App, `{"type":"webrtc_close","session_id":""}`, "webrtc_close: lacks a field"},
		{"no sdp", Robot, offer + s + `}`, "webrtc_offer: lacks a field"},
		{"null sdp", Robot, offer + s + `,"sdp":null}`, "webrtc_offer: lacks a field"},
		{"no error text", Robot, `{"type":"webrtc_error",` + s + `}`, "webrtc_error: lacks a field"},
		{"no token", App, `{"type":"auth"}`, "auth: lacks a field"},
		{"no code", Relay, `{"type":"error","message":"m"}`, "error: lacks a field"},
		{"no servers", Relay, `{"type":"webrtc_credentials",` + s + `}`, "webrtc_credentials: lacks a field"},

		{"sdp is text", Robot, offer + s + `,"sdp":"v=0"}`, "webrtc_offer: has a field of the wrong shape"},
		{"candidate is text", App, `{"type":"webrtc_ice",` + s + `,"candidate":""}`, "webrtc_ice: has a field of the wrong shape"},
		{"line index below zero", App, `{"type":"webrtc_ice",` + s + `,"candidate":{"sdpMLineIndex":-1}}`, "webrtc_ice: has a field of the wrong shape"},
		{"session is a number", App, `{"type":"webrtc_close","session_id":1}`, "webrtc_close: has a field of the wrong shape"},
		{"servers are text", Relay, `{"type":"webrtc_credentials",` + s + `,"ice_servers":"x"}`, "webrtc_credentials: has a field of the wrong shape"},
		{"servers have no list", Relay, `{"type":"webrtc_credentials",` + s + `,"ice_servers":{}}`, "webrtc_credentials: has a field of the wrong shape"},
		{"urls are a number", Relay, `{"type":"webrtc_credentials",` + s + `,"ice_servers":[{"urls":1}]}`, "webrtc_credentials: has a field of the wrong shape"},

		{"session with a dot", App, `{"type":"webrtc_close","session_id":"a.b"}`, "webrtc_close: session_id is malformed"},
		{"session too long", App, `{"type":"webrtc_close","session_id":"` + strings.Repeat("a", MaxIDLen+1) + `"}`, "webrtc_close: session_id is malformed"},
		{"device with a slash", App, `{"type":"webrtc_request","device_id":"../x"}`, "webrtc_request: device_id is malformed"},
		{"device beyond ASCII", App, `{"type":"get_status","device_id":"wimz_ä"}`, "get_status: device_id is malformed"},
		{"reported session", Robot, `{"type":"hello","sessions":[{"session_id":"*"}]}`, "hello: session_id is malformed"},
		{"too many sessions", Robot, `{"type":"hello","sessions":[` + strings.Repeat(`{"session_id":"a"},`, MaxSessions) + `{"session_id":"a"}]}`, "hello: too many sessions"},
		{"ticket too long", App, `{"type":"webrtc_resume","session_id":"a","ticket":"` + strings.Repeat("a", MaxTicket+1) + `"}`, "webrtc_resume: a ticket is too long"},
		{"reported ticket too long", Robot, `{"type":"hello","sessions":[{"session_id":"a","ticket":"` + strings.Repeat("a", MaxTicket+1) + `"}]}`, "hello: a ticket is too long"},
		{"offer holds an answer", Robot, offer + s + `,"sdp":{"type":"answer","sdp":"v=0"}}`, "webrtc_offer: sdp.type is not offer"},
		{"answer holds an offer", App, answer + s + `,"sdp":{"type":"offer","sdp":"v=0"}}`, "webrtc_answer: sdp.type is not answer"},
		{"empty sdp", App, answer + s + `,"sdp":{"type":"answer","sdp":""}}`, "webrtc_answer: sdp.sdp is empty"},
		{"command without a name", App, `{"type":"command","data":{}}`, "command: lacks a field"},
		{"command with a malformed name", App, `{"type":"command","command":"rm -rf"}`, "command: command is malformed"},
		{"command with a long name", App, `{"type":"command","command":"` + strings.Repeat("a", MaxNameLen+1) + `"}`, "command: command is malformed"},
		{"name of a command is a number", App, `{"type":"command","command":7}`, "command: has a field of the wrong shape"},
		{"command's robot is malformed", App, `{"type":"command","command":"stop","target_device":"../x"}`, "command: device_id is malformed"},
		{"data is a list", App, `{"type":"command","command":"stop","data":[1]}`, "command: data is not an object"},
		{"data is text", App, `{"type":"command","command":"stop","data":"{}"}`, "command: data is not an object"},
		{"data is too long", App, `{"type":"command","command":"stop","data":{"a":"` + strings.Repeat("a", MaxData) + `"}}`, "command: data is too long"},
		{"data is too deep", App, `{"type":"command","command":"stop","data":` + nested(MaxDepth+1) + `}`, "command: data is nested too deep"},
		{"time is text", App, `{"type":"command","command":"stop","timestamp":"1700000000000"}`, "command: timestamp is not a number"},
		{"time is a list", App, `{"type":"command","command":"stop","timestamp":[]}`, "command: timestamp is not a number"},
		{"time is long", App, `{"type":"command","command":"stop","timestamp":` + strings.Repeat("1", MaxTimestamp+1) + `}`, "command: timestamp is not a number"},
		{"robot commands", Robot, `{"type":"command","command":"stop"}`, "command: does not come from the robot"},
		{"event as an answer of the relay", Robot, `{"type":"status_response","event":"bark"}`, "status_response: does not come from the robot"},
		{"event as signaling", Robot, `{"type":"webrtc_answer","event":"bark"}`, "webrtc_answer: does not come from the robot"},
		{"event too deep", Robot, `{"event":"bark","x":` + nested(MaxDepth) + `}`, "is nested too deep"},
		{"typed event too deep", Robot, `{"type":"battery","x":` + nested(MaxDepth) + `}`, "battery: is nested too deep"},
		{"event with no room for what is filled in", Robot, `{"event":"bark","x":"` + strings.Repeat("a", MaxFrame-MaxFilledIn) + `"}`, "is too long"},
		{"event without its robot", Relay, `{"event":"bark","timestamp":1}`, "lacks a field"},
		{"event without its time", Relay, `{"type":"battery","device_id":"d"}`, "battery: lacks a field"},
		{"robot's request without session", Relay, `{"type":"webrtc_request","ice_servers":[]}`, "webrtc_request: the robot's request lacks"},
		{"robot's request without servers", Relay, `{"type":"webrtc_request",` + s + `}`, "webrtc_request: the robot's request lacks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Decode([]byte(c.frame), c.from)
			bad := (*BadMessageError)(nil)
			if !errors.As(err, &bad) || !strings.HasPrefix(bad.Error(), c.rule) {
				t.Errorf("got %q, want %q", err, c.rule)
			}
			if m.fields() != 0 || m.Type != "" {
				t.Errorf("a refused frame leaves %s", Encode(m))
			}
		})
	}
}

// nested is an object in an object, and so on.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
}

// TestDecodeForgives: what a message has besides its own fields does no harm.
func TestDecodeForgives(t *testing.T) {
	for name, c := range map[string]struct {
		from  Party
		frame string
		want  string
	}{
		"a heartbeat with a number for an error": {Robot, `{"type":"heartbeat","error":0,"online":"yes"}`, `{"type":"heartbeat"}`},
		"a request with a code":                  {App, `{"type":"webrtc_request","code":{"a":1},"device_id":"d"}`, `{"type":"webrtc_request","device_id":"d"}`},
		"an offer with servers that are none":    {Robot, `{"ice_servers":{},"type":"webrtc_offer","session_id":"s","sdp":{"type":"offer","sdp":"v"}}`, `{"type":"webrtc_offer","session_id":"s","sdp":{"type":"offer","sdp":"v"}}`},
		"an event with servers of its own":       {Robot, `{"ice_servers":{"a":1},"event":"e"}`, `{"event":"e","ice_servers":{"a":1}}`},
		"the deepest data":                       {App, `{"type":"command","command":"c","data":` + nested(MaxDepth) + `}`, `{"type":"command","command":"c","data":` + nested(MaxDepth) + `}`},
		"brackets in data's text":                {App, `{"type":"command","command":"c","data":{"a":"` + strings.Repeat(`{[\"`, 99) + `"}}`, `{"type":"command","command":"c","data":{"a":"` + strings.Repeat(`{[\"`, 99) + `"}}`},
		"the deepest event":                      {Robot, `{"event":"e","x":` + nested(MaxDepth-1) + `}`, `{"event":"e","x":` + nested(MaxDepth-1) + `}`},
		"an event with nothing else":             {Robot, ` { "event" : "e" } `, `{"event":"e"}`},
		"an event whose time is no time":         {Robot, `{"event":"e","timestamp":{"a":1}}`, `{"event":"e"}`},
		"an event whose time is a long story":    {Robot, `{"event":"e","timestamp":"` + strings.Repeat("a", MaxTimestamp) + `"}`, `{"event":"e"}`},
		"an event with fields of other shape":    {Robot, `{"event":"e","message":{"a":1},"online":"yes","device_id":[],"sessions":3,"code":1.5e3}`, `{"event":"e","message":{"a":1},"online":"yes","sessions":3,"code":1.5e3}`},
		"a typed event with a name":              {Robot, `{"type":"event","event":"e","a":[1, 2, {"b" : "c , d"}]}`, `{"type":"event","event":"e","a":[1,2,{"b":"c , d"}]}`},
		"an event that would be an offer":        {Robot, `{"event":"e","TYPE":"webrtc_answer","typ\u0065":"x","Device_ID":"d","event\u0000":1,"eventſ":2}`, `{"event":"e","event\u0000":1,"eventſ":2}`},
		"an event with names like ours":          {Robot, `{"event":"e","timeſtamp":1,"\u0054ype":2,"types":3,"":4}`, `{"event":"e","timestamp":1,"types":3,"":4}`},
		"no more candidates":                     {App, `{"type":"webrtc_ice","session_id":"s","candidate":null}`, `{"type":"webrtc_ice","session_id":"s","candidate":{"candidate":""}}`},
		"no candidate at all":                    {App, `{"type":"webrtc_ice","session_id":"s"}`, `{"type":"webrtc_ice","session_id":"s","candidate":{"candidate":""}}`},
	} {
		if m, err := Decode([]byte(c.frame), c.from); err != nil || string(Encode(m)) != c.want {
			t.Errorf("%s: got %s, %v", name, Encode(m), err)
		}
	}
}

func TestDecodeDoesNotKnow(t *testing.T) {
	for from, frames := range map[Party][]string{
		App: {`{"type":"webrtc_future"}`, `{"type":"PING"}`, `{"type":"battery","level":1}`},
		Robot: {
			`{"type":7}`, `{}`, `{"type":"get_profiles"}`, `{"type":"robot_connected","code":7}`, `{"type":"from_the_future"}`,
			`{"event":""}`, `{"event":7}`, `{"event":null}`, `{"event":"Bark"}`, `{"event":"a b"}`, `{"event":{"a":1}}`,
			`{"event":"` + strings.Repeat("a", MaxNameLen+1) + `"}`,
		},
		Relay: {`{"type":"a_notice","online":"yes"}`},
	} {
		for _, frame := range frames {
			if m, err := Decode([]byte(frame), from); !errors.Is(err, ErrUnknownType) {
				t.Errorf("%s from the %s: %s, %v", frame, from, Encode(m), err)
			}
		}
	}
}

// TestDecodeDirections tries every golden message as coming from everybody.
func TestDecodeDirections(t *testing.T) {
	for name, g := range golden() {
		for _, from := range []Party{App, Robot, Relay} {
			_, err := Decode(Encode(g.Message), from)
			r, _ := g.rule(from)
			if g.IsEvent() && from == Relay { // it says more than a robot
				r.from = g.from & Relay
			}
			if may := r.from&from != 0; g.Type != TypeRequest && may != (err == nil) {
				t.Errorf("%s from the %s: %v", name, from, err)
			}
		}
	}
}

func TestDecodeDropsExtraFields(t *testing.T) {
	const every = `"device_id":"wimz_1","ice_servers":[],"expires_in":1,"degraded":"d","reason":"r","error":"e",` +
		`"code":"C","message":"m","retry_after":1,"retry_after_ms":1,"token":"t","ticket":"t","sessions":[{"session_id":"a"}],` +
		`"online":true,"device_paired":true,"robot_online":true,"candidate":{},"x":{"y":[]},` +
		`"event":"e","command":"c","data":{},"timestamp":1,` + s
	for kind, r := range ruleOf {
		sdp := ""
		if r.needs&fSDP != 0 {
			sdp = fmt.Sprintf(`,"sdp":{"type":%q,"sdp":"v=0","x":1}`, strings.TrimPrefix(string(kind), "webrtc_"))
		}
		frame := fmt.Sprintf(`{"type":%q,%s%s}`, kind, every, sdp)
		for _, from := range []Party{App, Robot, Relay} {
			if r.from&from == 0 {
				continue
			}
			m, err := Decode([]byte(frame), from)
			if err != nil {
				t.Errorf("%s from the %s: %v", kind, from, err)
			}
			allowed := r.needs | r.may
			if kind == TypeRequest && from == App {
				allowed = fDevice
			}
			if rest := m.only(allowed); !bytes.Equal(Encode(m), Encode(rest)) {
				t.Errorf("%s from the %s keeps %s", kind, from, Encode(m))
			}
		}
	}
}

func TestDecodeClipsText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"short", "No camera", "No camera"},
		{"longest", strings.Repeat("a", MaxText), strings.Repeat("a", MaxText)},
		{"too long", strings.Repeat("a", MaxText+1), strings.Repeat("a", MaxText)},
		{"cut in a character", strings.Repeat("a", MaxText-1) + "é", strings.Repeat("a", MaxText-1)},
	} {
		m, err := Decode(Encode(Message{
			Type: TypeRobotError, SessionID: sessionID, Error: c.in, Code: Code(c.in),
		}), Robot)
		if err != nil || m.Error != c.want || string(m.Code) != c.want {
			t.Errorf("%s: %d and %d bytes, %v", c.name, len(m.Error), len(m.Code), err)
		}
		m, err = Decode(Encode(Message{Type: TypeClose, SessionID: sessionID, Reason: Reason(c.in)}), App)
		if err != nil || string(m.Reason) != c.want {
			t.Errorf("%s: %d bytes, %v", c.name, len(m.Reason), err)
		}
	}
}

// TestFrameFitsAgain: what is accepted can be sent on. A frame of the largest
// size passes, unless it would grow by being written our way.
func TestFrameFitsAgain(t *testing.T) {
	offer := func(filler string) []byte {
		frame := Encode(Message{Type: TypeOffer, SessionID: sessionID, SDP: &SessionDescription{"offer", "v"}})
		n := (MaxFrame - len(frame)) / len(filler)
		frame = bytes.Replace(frame, []byte(`"v"`), []byte(`"v`+strings.Repeat(filler, n)+`"`), 1)
		return append(frame, bytes.Repeat([]byte(" "), MaxFrame-len(frame))...)
	}
	for _, c := range []struct {
		filler string
		fits   bool
	}{
		{"a", true}, {`\r\n`, true}, {"<", true}, {"&", true}, {"é", true}, {`\"`, true}, {"\u2028", false},
	} {
		frame := offer(c.filler)
		if len(frame) != MaxFrame {
			t.Fatalf("%q: the frame has %d bytes", c.filler, len(frame))
		}
		m, err := Decode(frame, Robot)
		if fits := err == nil; fits != c.fits || len(Encode(m)) > MaxFrame {
			t.Errorf("%q: %v, %d bytes", c.filler, err, len(Encode(m)))
		}
	}
}

func TestIDs(t *testing.T) {
	for id, valid := range map[string]bool{
		"a": true, "wimz_abc-123": true, "ABCxyz019": true, strings.Repeat("a", MaxIDLen): true,
		"": false, strings.Repeat("a", MaxIDLen+1): false, "a b": false, "a.b": false, "a/b": false, "a*": false,
		"a\x00": false, "é": false, "@": false, "[": false, "`": false, "{": false, "a\n": false, ">": false,
	} {
		if DeviceID(id).Valid() != valid || SessionID(id).Valid() != valid {
			t.Errorf("%q: want %t", id, valid)
		}
	}
}

func TestParties(t *testing.T) {
	for party, name := range map[Party]string{App: "app", Robot: "robot", Relay: "relay", App | Robot: "parties"} {
		if party.String() != name {
			t.Errorf("%d: %s, want %s", party, party, name)
		}
	}
	if App.Other() != Robot || Robot.Other() != App {
		t.Error("app and robot are the two ends of a session")
	}
}

func TestHasTURN(t *testing.T) {
	for url, want := range map[string]bool{"turn:a:1": true, "turns:a:1": true, "stun:a:1": false, "": false} {
		if got := (ICEServers{[]ICEServer{{URLs: URLs{url}}}}).HasTURN(); got != want {
			t.Errorf("%q: %t", url, got)
		}
	}
}
