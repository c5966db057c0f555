package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const goldenDir = "../../testdata/wire"

const (
	sessionID SessionID = "3f6c8a52-0d0f-4b43-9d57-2f1c0c1b7a10"
	deviceID  DeviceID  = "wimz_abc123"
	ticket    Ticket    = "golden-ticket"
)

func servers() *ICEServers {
	return &ICEServers{Servers: []ICEServer{
		{URLs: URLs{"stun:stun.cloudflare.com:3478"}},
		{
			URLs: URLs{
				"turn:turn.cloudflare.com:3478?transport=udp", "turns:turn.cloudflare.com:5349?transport=tcp",
			},
			Username: "golden-username", Credential: "golden-credential",
		},
	}}
}

// golden is every message of CONTRACT §3 to §5 that the code knows: who sends
// it, and what its file holds.
func golden() map[string]struct {
	from Party
	Message
} {
	const sdp = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	type g = struct {
		from Party
		Message
	}
	return map[string]g{
		"webrtc_request_app":         {App, Message{Type: TypeRequest, DeviceID: deviceID}},
		"webrtc_request_only_device": {App, Message{Type: TypeRequest}},
		"webrtc_request_robot": {Relay, Message{
			Type: TypeRequest, SessionID: sessionID, ICEServers: servers(), ExpiresIn: 3600,
		}},
		"webrtc_credentials": {Relay, Message{
			Type: TypeCredentials, SessionID: sessionID, ICEServers: servers(), ExpiresIn: 3600,
		}},
		"webrtc_request_ticket": {Relay, Message{
			Type: TypeRequest, SessionID: sessionID, ICEServers: servers(), ExpiresIn: 3600, Ticket: ticket,
		}},
		"webrtc_credentials_ticket": {Relay, Message{
			Type: TypeCredentials, SessionID: sessionID, ICEServers: servers(), ExpiresIn: 3600, Ticket: ticket,
		}},
		"webrtc_credentials_degraded": {Relay, Message{
			Type: TypeCredentials, SessionID: sessionID, Degraded: DegradedNoTURN,
			ICEServers: &ICEServers{Servers: servers().Servers[:1]},
		}},
		"webrtc_offer":  {Robot, Message{Type: TypeOffer, SessionID: sessionID, SDP: &SessionDescription{"offer", sdp}}},
		"webrtc_answer": {App, Message{Type: TypeAnswer, SessionID: sessionID, SDP: &SessionDescription{"answer", sdp}}},
		"webrtc_ice": {App | Robot, Message{Type: TypeICE, SessionID: sessionID, Candidate: &Candidate{
			Candidate: "candidate:1 1 udp 2130706431 192.0.2.7 51234 typ host",
			SDPMid:    new("0"), SDPMLineIndex: new(uint16(0)),
		}}},
		"webrtc_ice_end":      {App | Robot, Message{Type: TypeICE, SessionID: sessionID, Candidate: &Candidate{}}},
		"webrtc_close":        {App | Robot | Relay, Message{Type: TypeClose, SessionID: sessionID}},
		"webrtc_close_reason": {Relay, Message{Type: TypeClose, SessionID: sessionID, Reason: ReasonSuperseded}},
		"webrtc_error":        {Robot, Message{Type: TypeRobotError, SessionID: sessionID, Error: "No camera"}},
		"webrtc_error_code": {Robot, Message{
			Type: TypeRobotError, SessionID: sessionID, Error: "Two are watching already", Code: CodeViewerLimit,
		}},
		"webrtc_resume": {App, Message{Type: TypeResume, SessionID: sessionID}},
		"webrtc_resume_ticket": {App, Message{
			Type: TypeResume, SessionID: sessionID, Restart: true, Ticket: ticket,
		}},
		"webrtc_resumed": {Relay, Message{Type: TypeResumed, SessionID: sessionID}},

		"error": {Relay, Message{
			Type: TypeError, SessionID: sessionID, DeviceID: deviceID, Code: CodeOfferTimeout, Text: "The robot did not answer in time",
		}},
		"error_rate_limited": {Relay, Message{
			Type: TypeError, Code: CodeRateLimited, Text: "Too many messages", RetryAfter: 1,
		}},
		"ping":       {App | Robot | Relay, Message{Type: TypePing}},
		"pong":       {App | Robot | Relay, Message{Type: TypePong}},
		"auth":       {App, Message{Type: TypeAuth, Token: "golden-token"}},
		"going_away": {Relay, Message{Type: TypeGoingAway, RetryMS: 1500}},

		"hello":      {Robot, Message{Type: TypeHello, Sessions: []SessionReport{{sessionID, true, ticket}}}},
		"hello_idle": {Robot, Message{Type: TypeHello, Sessions: []SessionReport{}}},
		"heartbeat": {Robot, Message{Type: TypeHeartbeat, Sessions: []SessionReport{
			{SessionID: sessionID, Connected: true}, {SessionID: "97b0a4a4-6d0e-4f5c-8f0e-0d6f3f1f4c11"},
		}}},
		"command": {App, Message{
			Type: TypeCommand, Command: "motor", DeviceID: deviceID,
			Data: Raw(`{"left":0.5,"right":-0.25}`), Timestamp: Raw(`1700000000000`),
		}},
		"command_robot": {Relay, Message{
			Type: TypeCommand, Command: "motor",
			Data: Raw(`{"left":0.5,"right":-0.25}`), Timestamp: Raw(`1700000000000`),
		}},
		"command_only_device": {App, Message{Type: TypeCommand, Command: "servo_center"}},
		"error_stale_command": {Relay, Message{
			Type: TypeError, Command: "motor", DeviceID: deviceID, Code: CodeStaleCommand,
			Text: "The command is 3.2 s old",
		}},
		"event": {Robot, Message{Event: "bark", Fields: Raw(`"data":{"dogs":["Elsa",null]},"id":"7f"`)}},
		"event_app": {Relay, Message{
			Event: "bark", DeviceID: deviceID, Timestamp: Raw(`"2026-01-02T03:04:05.678Z"`),
			Fields: Raw(`"data":{"dogs":["Elsa",null]},"id":"7f"`),
		}},
		"event_named": {Robot, Message{Type: TypeEvent, Event: "bark", Fields: Raw(`"id":"7f"`)}},
		"event_typed": {Robot, Message{
			Type: "battery", Timestamp: Raw(`1700000000.5`), Fields: Raw(`"level":78,"charging":false`),
		}},
		"event_typed_app": {Relay, Message{
			Type: "battery", DeviceID: deviceID, Timestamp: Raw(`1700000000.5`), Fields: Raw(`"level":78,"charging":false`),
		}},

		"get_status": {App, Message{Type: TypeGetStatus, DeviceID: deviceID}},
		"status_response": {Relay, Message{
			Type: TypeStatus, DeviceID: deviceID, Paired: new(true), RobotUp: new(false),
		}},
		"robot_status": {Relay, Message{Type: TypeRobotStatus, DeviceID: deviceID, Online: new(true)}},
	}
}

// historical are the forms that robots and apps in the field send, and the
// golden file that each means. They are written by hand and never updated.
var historical = map[string]string{
	"accepted_ice_servers_bare_list":   "webrtc_credentials",
	"accepted_ice_servers_one_object":  "webrtc_credentials_degraded",
	"accepted_urls_string":             "webrtc_credentials_degraded",
	"accepted_extra_fields":            "webrtc_request_app",
	"accepted_robot_bare_list":         "webrtc_request_robot",
	"accepted_candidate_null_sdp_mid":  "webrtc_ice_end",
	"accepted_request_null_device_id":  "webrtc_request_only_device",
	"accepted_close_with_other_fields": "webrtc_close",
	"accepted_command_target_device":   "command",
	"accepted_command_both_addresses":  "command",
	"accepted_command_null_data":       "command_only_device",
	"accepted_event_with_device_id":    "event",
	"accepted_event_unlisted_type":     "event",
	"accepted_event_names_twice":       "event_typed",
}

// indented is a frame as a golden file shows it.
func indented(t *testing.T, frame []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, frame, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenDir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGolden(t *testing.T) {
	for name, g := range golden() {
		t.Run(name, func(t *testing.T) {
			canonical := indented(t, Encode(g.Message))
			if *update {
				if err := os.WriteFile(filepath.Join(goldenDir, name+".json"), canonical, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file := readGolden(t, name)
			if !bytes.Equal(file, canonical) {
				t.Errorf("we write\n%s\nthe file holds\n%s", canonical, file)
			}
			for _, from := range []Party{App, Robot, Relay} {
				if g.from&from == 0 {
					continue
				}
				read, err := Decode(file, from)
				if err != nil {
					t.Fatalf("from the %s: %v", from, err)
				}
				if !reflect.DeepEqual(read, g.Message) {
					t.Errorf("from the %s: read %s, want %s", from, Encode(read), Encode(g.Message))
				}
			}
		})
	}
}

func TestHistoricalForms(t *testing.T) {
	for name, means := range historical {
		g, ok := golden()[means]
		if !ok {
			t.Fatalf("no golden message %s", means)
		}
		for _, from := range []Party{App, Robot, Relay} {
			if g.from&from == 0 {
				continue
			}
			read, err := Decode(readGolden(t, name), from)
			if err != nil {
				t.Errorf("%s from the %s: %v", name, from, err)
			} else if got, want := indented(t, Encode(read)), readGolden(t, means); !bytes.Equal(got, want) {
				t.Errorf("%s is read as\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// TestGoldenIsComplete compares the directory with the tables, and the tables
// with the types there are.
func TestGoldenIsComplete(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Type]bool{}
	for _, g := range golden() {
		seen[g.Type] = true
		if g.Type == "" && !g.IsEvent() {
			t.Errorf("%s is nothing", g)
		}
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if _, known := golden()[name]; !known && historical[name] == "" {
			t.Errorf("%s belongs to no message", file)
		}
	}
	for kind := range ruleOf {
		if !seen[kind] {
			t.Errorf("%s has no golden file", kind)
		}
	}
}
