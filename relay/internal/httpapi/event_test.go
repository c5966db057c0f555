package httpapi_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// TestEvents reach every app of the robot's owner and nobody else, as the robot
// wrote them, with the robot's name and the time.
func TestEvents(t *testing.T) {
	w, token, strangers := house(t)
	robot, other := w.robot("robot"), w.robot("robot-2")
	apps := []*peer{w.greeted(token), w.greeted(token)}
	stranger := w.app(strangers)
	began := time.Now()
	for _, c := range []struct{ sent, got string }{
		{`{"event":"bark"}`, `{"event":"bark","device_id":"robot","timestamp":"NOW"}`},
		{
			`{ "event": "status", "device_id": "robot-2", "data": {"battery": 78.50, "mode": "idle"}, "id":"7f"}`,
			`{"event":"status","device_id":"robot","timestamp":"NOW","data":{"battery":78.50,"mode":"idle"},"id":"7f"}`,
		},
		{
			`{"type":"battery","level":78,"timestamp":1700000000.5}`,
			`{"type":"battery","device_id":"robot","timestamp":1700000000.5,"level":78}`,
		},
		{
			`{"event":"treat","timestamp":"2026-02-01T20:50:12Z","message":{"a":1}}`,
			`{"event":"treat","device_id":"robot","timestamp":"2026-02-01T20:50:12Z","message":{"a":1}}`,
		},
		{
			`{"type":"command_ack","command":"motor","success":false,"error":"motor bus unavailable"}`,
			`{"type":"command_ack","device_id":"robot","timestamp":"NOW","command":"motor","success":false,"error":"motor bus unavailable"}`,
		},
		{
			`{"type":"robot_news","event":"bark","session_id":"s","token":"t","sdp":{"type":"offer"}}`,
			`{"event":"bark","device_id":"robot","timestamp":"NOW","session_id":"s","token":"t","sdp":{"type":"offer"}}`,
		},
		{`{"event":"a","type":"webrtc_offer","Type":"battery"}`, `{"type":"battery","event":"a","device_id":"robot","timestamp":"NOW"}`},
	} {
		robot.raw(c.sent)
		for _, app := range apps {
			got := app.frame()
			at := regexp.MustCompile(`"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"`).FindStringSubmatch(got)
			if at != nil {
				if when, err := time.Parse(time.RFC3339, at[1]); err != nil || when.Sub(began).Abs() > patience {
					t.Errorf("it was %s: %v", at[1], err)
				}
				got = strings.Replace(got, at[1], "NOW", 1)
			}
			if got != c.got {
				t.Errorf("got\n%s, want\n%s", got, c.got)
			}
		}
	}
	for _, p := range []*peer{stranger, other, robot, apps[0], apps[1]} {
		p.quiet()
	}
}

// TestNoEvents: what is none, or nobody's, is told to nobody; the robot is not
// bothered, unless it speaks as somebody else.
func TestNoEvents(t *testing.T) {
	w, token, _ := house(t)
	w.device("nobodys", store.User{})
	robot, nobodys := w.robot("robot"), w.robot("nobodys")
	app := w.greeted(token)
	for _, frame := range []string{
		`{"event":"A B"}`, `{"event":7}`, `{"type":"robot_connected","version":"1"}`, `{"type":"get_profiles"}`,
		`{"type":"heartbeat","event":"bark"}`, `{"type":"from_the_future","data":{}}`,
		`{"type":"battery","x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`,
		`{"type":"robot_status","device_id":"robot","online":false}`, `{"type":"error","code":"X","message":"y"}`,
	} {
		robot.raw(frame)
	}
	robot.raw(`{"type":"webrtc_answer","event":"bark"}`)
	robot.hears("error BAD_MESSAGE")
	nobodys.raw(`{"event":"bark"}`)
	for _, p := range []*peer{robot, nobodys, app} {
		p.quiet()
	}
	app.raw(`{"event":"bark"}`)
	app.hears("error BAD_MESSAGE")
	app.raw(`{"type":"battery","level":1}`) // a type that apps do not have
	app.quiet()
}

// TestEventRate: a chatty robot is cut, and its signaling heard all the same.
func TestEventRate(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	const all = 2000
	refused := 0
	for range all / 20 {
		for range 20 {
			robot.raw(`{"event":"status"}`)
		}
		robot.send(wire.Message{Type: wire.TypePing})
		for m := robot.next(); m.Type != wire.TypePong; m = robot.next() {
			if m.Code != wire.CodeRateLimited {
				t.Fatalf("told %s", wire.Encode(m))
			}
			refused++
		}
	}
	robot.send(sdp(wire.TypeOffer, "no-session"))
	robot.hears("webrtc_close session_unknown")
	if refused == 0 || refused > all-200 {
		t.Errorf("%d of %d were refused", refused, all)
	}
	for range all - refused {
		if m := app.next(); m.Event != "status" {
			t.Fatalf("told %s", m)
		}
	}
	app.quiet()
}
