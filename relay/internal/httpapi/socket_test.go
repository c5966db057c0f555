package httpapi_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// house is a world with a user who owns two robots, and a stranger.
func house(t testing.TB, changes ...func(*options)) (w *world, token, strangers string) {
	t.Helper()
	w = newWorld(t, changes...)
	user, token := w.user()
	_, strangers = w.user()
	w.device("robot", user)
	w.device("robot-2", user)
	return w, token, strangers
}

// TestRobotStatus: one per owned robot on connect, then what changes.
func TestRobotStatus(t *testing.T) {
	w, token, strangers := house(t)
	early := w.app(token)
	stranger := w.app(strangers)
	early.isTold("robot", false)
	early.isTold("robot-2", false)
	robot := w.robot("robot")
	early.isTold("robot", true)
	late := w.app(token)
	late.isTold("robot", true)
	late.isTold("robot-2", false)
	_ = robot.socket.Close()
	for _, p := range []*peer{early, late} {
		p.isTold("robot", false)
	}
	stranger.quiet()
}

// TestRobotReplaced: the old socket is told, the apps notice nothing.
func TestRobotReplaced(t *testing.T) {
	w, token, _ := house(t)
	old := w.robot("robot")
	app := w.app(token)
	app.isTold("robot", true)
	app.isTold("robot-2", false)
	newer := w.robot("robot")
	old.closedWith(wire.CloseReplaced)
	w.eventually("the old socket has been given up", func() bool { return w.hub.Robots() == 1 })
	app.quiet()
	newer.quiet()
	_ = newer.socket.Close()
	app.isTold("robot", false)
}

// lateBus lets something happen just after a robot has given its address up.
type lateBus struct {
	bus.Bus
	after atomic.Pointer[func()] // called once
}

func (b *lateBus) Claim(address string, deliver bus.Deliver, moved func()) func() bool {
	release := b.Bus.Claim(address, deliver, moved)
	return func() bool {
		last := release()
		if address == bus.RobotAddress("robot") {
			if after := b.after.Swap(nil); after != nil {
				(*after)()
			}
		}
		return last
	}
}

// TestRobotBackBeforeItsLossIsTold: the robot's new socket is there before the
// end of its old one has been told. What the app hears last must be true, and
// a session must not take the robot for lost.
func TestRobotBackBeforeItsLossIsTold(t *testing.T) {
	late := &lateBus{Bus: bus.NewMemory()}
	w, token, _ := house(t, func(o *options) { o.bus = late })
	robot := w.robot("robot")
	app := w.app(token)
	app.isTold("robot", true)
	app.isTold("robot-2", false)
	var newer *peer
	arrive := func() { newer = w.robot("robot") }
	late.after.Store(&arrive)
	_ = robot.socket.Close()
	app.isTold("robot", true)
	app.isTold("robot", false)
	app.isTold("robot", true)
	app.quiet()
	newer.quiet()
}

// brokenBus has a bug that a robot finds.
type brokenBus struct{ bus.Bus }

func (b brokenBus) Claim(address string, deliver bus.Deliver, moved func()) func() bool {
	if address == bus.RobotAddress("robot") {
		panic("a bug")
	}
	return b.Bus.Claim(address, deliver, moved)
}

// TestPanicEndsOneSocket and no other.
func TestPanicEndsOneSocket(t *testing.T) {
	w, token, _ := house(t, func(o *options) { o.bus = brokenBus{bus.NewMemory()} })
	app := w.greeted(token)
	robot, status := w.dial("/ws/device", signedNow("robot"))
	if robot == nil {
		t.Fatalf("refused with %d", status)
	}
	_ = robot.socket.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := robot.socket.ReadMessage(); err == nil || os.IsTimeout(err) {
		t.Errorf("the socket goes on: %v", err)
	}
	app.quiet()
	if log := w.log.String(); !strings.Contains(log, `msg="handler panicked" route="GET /ws/device" panic="a bug"`) {
		t.Errorf("the log:\n%s", log)
	}
}

func TestGetStatus(t *testing.T) {
	w, token, strangers := house(t)
	w.robot("robot")
	app, stranger := w.app(token), w.app(strangers)
	app.next()
	app.next()
	for _, c := range []struct {
		who            *peer
		asked          wire.DeviceID
		paired, online bool
	}{
		{app, "robot", true, true},
		{app, "robot-2", true, false},
		{app, "nonesuch", false, false},
		{stranger, "robot", false, false},
	} {
		c.who.send(wire.Message{Type: wire.TypeGetStatus, DeviceID: c.asked})
		m := c.who.hears("status_response " + string(c.asked))
		if *m.Paired != c.paired || *m.RobotUp != c.online {
			t.Errorf("%s: %s", c.asked, wire.Encode(m))
		}
	}
}

// TestGetStatusOfTheOnlyRobot needs no name.
func TestGetStatusOfTheOnlyRobot(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	w.device("only", user)
	app := w.app(token)
	app.isTold("only", false)
	app.send(wire.Message{Type: wire.TypeGetStatus})
	if m := app.hears("status_response only"); !*m.Paired || *m.RobotUp {
		t.Errorf("got %s", wire.Encode(m))
	}
}

func TestBadMessages(t *testing.T) {
	w, token, _ := house(t)
	app := w.greeted(token)
	robot := w.robot("robot")
	app.isTold("robot", true)
	for _, frame := range []string{"", "hello", "[]", "{}", `{"type":"webrtc_offer"}`, `{"type":"webrtc_close"}`, "\x00\xff"} {
		app.raw(frame)
		if m := app.hears("error BAD_MESSAGE"); m.Text == "" {
			t.Errorf("%q: %s", frame, wire.Encode(m))
		}
	}
	for _, frame := range []string{"hello", `{"type":"webrtc_answer"}`, `{"type":"webrtc_offer","session_id":"s"}`} {
		robot.raw(frame)
		robot.hears("error BAD_MESSAGE")
	}
	for _, frame := range []string{`{"event":7}`, `{"type":"get_profiles"}`, `{"type":"heartbeat"}`, `{"type":"hello","sessions":[]}`, `{}`, `{"type":"pong"}`} {
		robot.raw(frame)
	}
	for _, frame := range []string{`{"type":"from_the_future","sdp":1}`, `{"type":"pong"}`} {
		app.raw(frame)
	}
	app.quiet()
	robot.quiet()
}

func TestFramesTooLarge(t *testing.T) {
	w, token, _ := house(t)
	for _, p := range []*peer{w.app(token), w.robot("robot")} {
		p.raw(strings.Repeat(" ", wire.MaxFrame+1))
		before := p.closedWith(wire.CloseTooLarge)
		if len(before) == 0 || !strings.Contains(before[len(before)-1], "MESSAGE_TOO_LARGE") {
			t.Errorf("told %q", before)
		}
	}
}

// TestMessageRate: who says too much is told when to go on, and heard again.
func TestMessageRate(t *testing.T) {
	w, token, _ := house(t)
	app := w.app(token)
	app.next()
	app.next()
	answers := map[string]int{}
	for range 40 {
		for range 10 {
			app.send(wire.Message{Type: wire.TypePing})
		}
		for range 10 {
			m := app.next()
			answers[m.String()]++
			if m.Code == wire.CodeRateLimited && m.RetryAfter < 1 {
				t.Fatalf("told %s", wire.Encode(m))
			}
		}
	}
	if answers["pong"] < 300 || answers["error RATE_LIMITED"] == 0 {
		t.Errorf("answers: %v", answers)
	}
	refused := strconv.Itoa(answers["error RATE_LIMITED"])
	w.measures(map[string]string{`messages_dropped_total{reason="rate_limited"}`: refused, `errors_total{code="RATE_LIMITED"}`: refused})
	w.app(token).isTold("robot", false) // another socket is not concerned
}

// TestRequestRate: requests are limited per user, over all sockets.
func TestRequestRate(t *testing.T) {
	w, token, strangers := house(t)
	first, second, other := w.greeted(token), w.greeted(token), w.app(strangers)
	var codes []wire.Code
	for i := range 24 {
		p := []*peer{first, second}[i%2]
		p.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
		m := p.next()
		if m.Code == wire.CodeRateLimited && (m.RetryAfter < 1 || m.DeviceID != "robot") {
			t.Errorf("told %s", wire.Encode(m))
		}
		codes = append(codes, m.Code)
	}
	if codes[0] != wire.CodeDeviceOffline || codes[19] != wire.CodeDeviceOffline || !slices.Contains(codes, wire.CodeRateLimited) {
		t.Errorf("answers: %v", codes)
	}
	other.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	other.hears("error robot NOT_AUTHORIZED")
}

// TestGoingAway: apps and robots are told when to come back, then closed. That robots
// have gone nobody is told: it is the relay that goes.
func TestGoingAway(t *testing.T) {
	var messages bus.Bus
	w, token, _ := house(t, func(o *options) { messages = o.bus })
	messages.Join(bus.PresenceTopic(bus.RobotAddress("robot")), func(_ context.Context, e bus.Envelope) error {
		if e.Kind == bus.Lost {
			t.Error("the robot is told to have gone")
		}
		return nil
	})
	peers := []*peer{w.greeted(token), w.robot("robot")}
	w.closing()
	for i, p := range peers {
		before := p.closedWith(wire.CloseGoingAway)
		var m wire.Message
		var err error
		if len(before) > 0 {
			m, err = wire.Decode([]byte(before[len(before)-1]), wire.Relay)
		}
		if err != nil || m.Type != wire.TypeGoingAway || m.RetryMS < 1 {
			t.Errorf("peer %d was told %q", i, before)
		}
	}
	w.api.Wait()
	if n := w.hub.Apps() + w.hub.Robots(); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
	// Who comes too early is sent away again.
	p := w.app(token)
	p.closedWith(wire.CloseGoingAway)
}
