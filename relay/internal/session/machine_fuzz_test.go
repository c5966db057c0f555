package session

import (
	"math/rand/v2"
	"strings"
	"testing"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// FuzzMachine plays any events in any order.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		walk := make([]byte, 40)
		for i := range walk {
			walk[i] = byte(random.UintN(256))
		}
		f.Add(walk)
	}
	f.Fuzz(func(t *testing.T, events []byte) {
		m := newMachine()
		w := watcher{t: t, m: m}
		begin, events := first(events)
		switch begin % 4 {
		case 0:
			w.check(bus.Sender{}, m.Adopt(true))
		case 1:
			w.check(bus.Sender{}, m.Adopt(false))
		default:
			w.check(bus.Sender{}, m.Start(wire.Message{ICEServers: &wire.ICEServers{}}, ""))
		}
		for _, event := range events {
			w.play(event)
		}
	})
}

// first takes the first byte, if there is one: it says how the session begins.
func first(events []byte) (begin byte, rest []byte) {
	if len(events) == 0 {
		return 0, nil
	}
	return events[0], events[1:]
}

// events are what may happen; Message stands for itself with every sender.
func (w *watcher) play(event byte) {
	kinds := [...]wire.Type{
		wire.TypeOffer, wire.TypeAnswer, wire.TypeICE, wire.TypeClose,
		wire.TypeRobotError, wire.TypeResume, wire.TypeHeartbeat, wire.TypePing,
	}
	one := everybody.split()[int(event)%5]
	sender := one.sender()
	switch rest := int(event) / 5; rest {
	case 0, 1:
		w.check(bus.Sender{}, w.m.Expire(Timer(rest)))
	case 2, 3, 4, 5:
		w.check(sender, w.m.Handle(lost(one)))
	case 6, 7, 8, 9:
		w.check(sender, w.m.Handle(back(one)))
	case 10:
		w.check(sender, w.m.Handle(bus.Envelope{Kind: bus.End, Message: wire.Message{Reason: wire.ReasonSuperseded}}))
	case 11:
		w.check(sender, w.m.Handle(bus.Envelope{From: sender, Message: wire.Message{
			Type: wire.TypeHello, Sessions: []wire.SessionReport{},
		}}))
	case 12:
		w.check(sender, w.m.Handle(bus.Envelope{From: sender, Message: wire.Message{
			Type: wire.TypeResume, SessionID: id, Restart: true,
		}}))
	case 13:
		w.check(bus.Sender{}, w.m.Renew(wire.Message{ICEServers: &wire.ICEServers{}}))
	default:
		w.check(sender, w.m.Handle(from(one, kinds[rest%len(kinds)])))
	}
}

// watcher holds the invariants of a session against everything it does.
type watcher struct {
	t         *testing.T
	m         *Machine
	state     State
	toldApp   int // times the app was told the end
	toldRobot int
}

// check looks at the effects of one event, of which sender was the cause.
func (w *watcher) check(sender bus.Sender, effects []Effect) {
	w.t.Helper()
	before := w.state
	w.state = w.m.State()
	if before == Closed && (w.state != Closed || len(effects) > 0) {
		w.t.Fatalf("closed, and yet: %q", outcome(w.m, before, effects))
	}
	if w.state < before {
		w.t.Fatalf("back from %s to %s", before, w.state)
	}
	for _, e := range effects {
		w.checkReceiver(sender, e)
	}
	if w.toldApp > 1 || w.toldRobot > 1 {
		w.t.Fatalf("the end was told %d times to the app, %d times to the robot", w.toldApp, w.toldRobot)
	}
	if w.state == Closed && before != Closed {
		w.checkEnd()
	}
}

func (w *watcher) checkReceiver(sender bus.Sender, e Effect) {
	w.t.Helper()
	own := bus.AppAddress(w.m.App().Peer)
	terminal := e.Message.Type == wire.TypeClose || e.Message.Type == wire.TypeError || e.Message.Type == wire.TypeRobotError
	switch e.Address {
	case "": // a timer
	case own:
		if terminal {
			w.toldApp++
		}
	case bus.RobotAddress("robot"):
		if terminal {
			w.toldRobot++
		}
	case bus.AppAddress(sender.Peer), bus.RobotAddress(sender.Device):
		if !terminal {
			w.t.Fatalf("a stranger is told %s", describe(e))
		}
	default:
		w.t.Fatalf("somebody who has no part in it is told %s", describe(e))
	}
	if strings.HasSuffix(e.Address, ".") {
		w.t.Fatalf("nobody's address %q", e.Address)
	}
}

// checkEnd: both know of it, unless one was the cause and knows.
func (w *watcher) checkEnd() {
	w.t.Helper()
	if w.m.Reason() == "" {
		w.t.Fatal("closed without a reason")
	}
	if w.toldApp == 0 && w.m.Reason() != wire.ReasonSuperseded {
		w.t.Fatalf("the app waits for ever: %s", w.m.Reason())
	}
	if w.toldRobot == 0 && w.m.Reason() != wire.ReasonRobotError {
		w.t.Fatalf("the robot holds a dead session: %s", w.m.Reason())
	}
}
