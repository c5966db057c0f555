package httpapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// frame returns the next frame as it came.
func (p *peer) frame() string {
	p.Helper()
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := p.socket.ReadMessage()
	if err != nil {
		p.Fatal(err)
	}
	return string(frame)
}

// driver is an app that has been greeted, of a user with the robots that are
// named; the first is there.
func driver(t *testing.T, ids ...wire.DeviceID) (w *world, app, robot *peer) {
	t.Helper()
	w = newWorld(t)
	user, token := w.user()
	for _, id := range ids {
		w.device(id, user)
	}
	robot = w.robot(ids[0])
	return w, w.greeted(token), robot
}

// TestCommands: the robot gets what its owner's app has sent, less the address.
func TestCommands(t *testing.T) {
	_, app, robot := driver(t, "robot")
	now := string(wire.Millis(time.Now()))
	for _, c := range []struct{ sent, got string }{
		{
			`{"type":"command","device_id":"robot","command":"motor","data":{"left":0.5, "right":-1},"timestamp":` + now + `}`,
			`{"type":"command","command":"motor","data":{"left":0.5,"right":-1},"timestamp":` + now + `}`,
		},
		{
			`{"target_device":"robot","data":{},"command":"servo_center","type":"command"}`,
			`{"type":"command","command":"servo_center","data":{}}`,
		},
		{`{"type":"command","command":"stop"}`, `{"type":"command","command":"stop"}`},
		{
			`{"type":"command","device_id":"robot","target_device":"robot-9","command":"a.b_1","token":"t","session_id":"s","x":[]}`,
			`{"type":"command","command":"a.b_1"}`,
		},
		{
			`{"type":"command","command":"say","data":{"text":"<b>\u2028\ud83d\udc15\ud800","n":1e400,"n":2}}`,
			`{"type":"command","command":"say","data":{"text":"<b>\u2028\ud83d\udc15\ud800","n":1e400,"n":2}}`,
		},
	} {
		app.raw(c.sent)
		if got := robot.frame(); got != c.got {
			t.Errorf("got\n%s, want\n%s", got, c.got)
		}
	}
	app.quiet()
	robot.quiet()
}

// TestRefusedCommands end in exactly one error, and the robot hears nothing.
func TestRefusedCommands(t *testing.T) {
	w, app, robot := driver(t, "robot", "robot-2")
	stranger, _ := w.user()
	w.device("theirs", stranger)
	ago := func(d time.Duration) string { return string(wire.Millis(time.Now().Add(-d))) }
	for _, c := range []struct{ frame, want, text string }{
		{`"device_id":"theirs"`, "error motor theirs NOT_AUTHORIZED", "Not authorized"},
		{`"device_id":"nobody"`, "error motor nobody NOT_AUTHORIZED", "Not authorized"},
		{`"target_device":"theirs"`, "error motor theirs NOT_AUTHORIZED", "Not authorized"},
		{`"device_id":"theirs","target_device":"robot"`, "error motor theirs NOT_AUTHORIZED", "Not authorized"},
		{`"device_id":"robot-2"`, "error motor robot-2 DEVICE_OFFLINE", "Device offline"},
		{`"data":{}`, "error motor NO_DEVICE", "device_id is missing"},
		{`"device_id":"robot","timestamp":` + ago(time.Minute), "error motor robot STALE_COMMAND", "60.0 s old"},
		{`"device_id":"robot","timestamp":1700000000`, "error motor robot STALE_COMMAND", "s old"},
		{`"device_id":"robot","timestamp":` + ago(-time.Minute), "error motor robot STALE_COMMAND", "ahead"},
		{`"device_id":"theirs","timestamp":` + ago(time.Minute), "error motor theirs STALE_COMMAND", "old"},
		{`"device_id":"robot","data":[]`, "error BAD_MESSAGE", "data is not an object"},
		{`"device_id":"robot","timestamp":"now"`, "error BAD_MESSAGE", "timestamp"},
	} {
		app.raw(`{"type":"command","command":"motor",` + c.frame + `}`)
		if m := app.hears(c.want); !strings.Contains(m.Text, c.text) {
			t.Errorf("%s: %q", c.frame, m.Text)
		}
		app.quiet()
	}
	robot.quiet()
	app.raw(`{"type":"command","command":"motor","device_id":"robot","timestamp":` + ago(-time.Second) + `}`)
	if got := robot.next(); got.Command != "motor" {
		t.Errorf("got %s", got)
	}
}

// TestNothingIsQueuedForAnAbsentRobot: when it comes it hears the next command.
func TestNothingIsQueuedForAnAbsentRobot(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	w.device("robot", user)
	app := w.app(token)
	app.isTold("robot", false)
	app.raw(`{"type":"command","command":"first"}`)
	app.hears("error first robot DEVICE_OFFLINE")
	robot := w.robot("robot")
	app.isTold("robot", true)
	app.raw(`{"type":"command","command":"second"}`)
	if got := robot.next(); got.Command != "second" {
		t.Errorf("got %s", got)
	}
	app.quiet()
}

// TestRobotsThatDoNotTakeCommands: what their end of the bus says is told.
func TestRobotsThatDoNotTakeCommands(t *testing.T) {
	memory := bus.NewMemory()
	w, token, _ := house(t, func(o *options) { o.bus = memory })
	app := w.greeted(token)
	for want, err := range map[string]error{
		"error motor robot RATE_LIMITED": bus.ErrBusy, "error motor robot DEVICE_OFFLINE": bus.ErrNobody,
	} {
		release := memory.Claim(bus.RobotAddress("robot"), func(context.Context, bus.Envelope) error { return err }, nil)
		app.raw(`{"type":"command","command":"motor","device_id":"robot"}`)
		app.hears(want)
		app.quiet()
		release()
	}
}

// TestNewlyPairedRobots can be commanded at once, whatever was known before.
func TestNewlyPairedRobots(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	app := w.app(token)
	app.quiet()
	for i := range 3 {
		id := wire.DeviceID(fmt.Sprintf("robot-%d", i))
		app.raw(`{"type":"command","command":"motor","device_id":"` + string(id) + `"}`)
		app.hears("error motor " + string(id) + " NOT_AUTHORIZED")
		w.device(id, user)
		w.hub.OwnerChanged(t.Context(), id)
		app.raw(`{"type":"command","command":"motor","device_id":"` + string(id) + `"}`)
		app.hears("error motor " + string(id) + " DEVICE_OFFLINE")
	}
}

// TestStoreFails: the command is refused, the store's words stay in the log.
func TestStoreFails(t *testing.T) {
	w, app, robot := driver(t, "robot")
	_ = w.store.Close()
	app.raw(`{"type":"command","command":"motor","device_id":"robot"}`)
	if m := app.hears("error motor robot INTERNAL"); strings.Contains(m.Text, "sql") {
		t.Error(m.Text)
	}
	app.quiet()
	robot.quiet()
}

// TestDriversDoNotStarve: as many commands as a stick makes in four seconds pass
// at once. A flood is cut, each command of it is refused or arrives, and
// signaling on the same sockets goes on.
func TestDriversDoNotStarve(t *testing.T) {
	_, app, robot := driver(t, "robot")
	const all, atOnce = 2000, 200
	refused := 0
	for i := range all / 20 {
		for range 20 {
			app.raw(`{"type":"command","command":"motor","data":{"left":1,"right":1}}`)
		}
		app.send(wire.Message{Type: wire.TypePing})
		for m := app.next(); m.Type != wire.TypePong; m = app.next() {
			if m.Code != wire.CodeRateLimited || m.Command != "motor" || m.RetryAfter < 1 || i < atOnce/20 {
				t.Fatalf("after %d commands: %s", 20*i, wire.Encode(m))
			}
			refused++
		}
	}
	app.send(wire.Message{Type: wire.TypeRequest})
	id := app.hears("webrtc_credentials").SessionID
	arrived := 0
	m := robot.next()
	for ; m.Type == wire.TypeCommand; m = robot.next() {
		arrived++
	}
	if m.Type != wire.TypeRequest || m.SessionID != id || refused == 0 || arrived+refused != all {
		t.Errorf("%d arrived, %d were refused, then %s", arrived, refused, m)
	}
	robot.send(sdp(wire.TypeOffer, id))
	app.hears("webrtc_offer")
}
