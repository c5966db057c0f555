package session

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// diary is a [Meter] that writes everything down.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) Entered(s State, after time.Duration) { d.add("%s after %v", s, after) }
func (d *diary) Left(s State)                         { d.add("no longer %s", s) }
func (d *diary) Ended(reason wire.Reason)             { d.add("ended: %s", reason) }
func (d *diary) Forwarded(took time.Duration)         { d.add("forwarded in %v", took) }
func (d *diary) Intruded()                            { d.add("intruded") }

// read returns what was written since the last time.
func (d *diary) read() (lines []string) {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	lines, d.lines = d.lines, nil
	return lines
}

// TestMeasured follows sessions in what their meter is told.
func TestMeasured(t *testing.T) {
	book := &diary{}
	inWorld(t, func(c *Config, _ *provider) { c.Meter = book }, func(w *world) {
		expect := func(want ...string) {
			t.Helper()
			if got := book.read(); !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		// says sends a message that was read a millisecond ago.
		says := func(from bus.Sender, m wire.Message) {
			t.Helper()
			synctest.Wait()
			m.SessionID = w.sessions[len(w.sessions)-1]
			for i := range m.Sessions {
				m.Sessions[i].SessionID = m.SessionID
			}
			e := bus.Envelope{From: from, Message: m, ReadAt: time.Now().Add(-time.Millisecond)}
			if err := w.bus.Send(w.Context(), bus.SessionAddress(m.SessionID), e); err != nil {
				t.Error(err)
			}
		}
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "nonesuch")
		expect() // it is no session
		w.request(app.sender(), "robot")
		expect("requested after 0s")
		w.pass(2 * time.Second)
		says(robot.sender(), a(wire.TypeOffer))
		expect("no longer requested", "offered after 2s", "forwarded in 1ms")
		says(app.sender(), a(wire.TypeAnswer))
		expect("no longer offered", "answered after 2s", "forwarded in 1ms")
		says(robot.sender(), a(wire.TypeHeartbeat))
		expect("no longer answered", "connected after 2s")
		says(strangerApp.sender(), a(wire.TypeResume))
		expect("intruded")
		says(strangerRobot.sender(), a(wire.TypeICE))
		expect("intruded")
		// The app moves to a socket that is gone already, and comes to an end there.
		moved := app.sender()
		moved.Peer = "gone"
		says(moved, a(wire.TypeResume))
		expect("forwarded in 1ms")
		w.pass(grace)
		expect("no longer connected", "ended: app_gone")

		w.request(app.sender(), "robot")
		w.pass(wire.OfferTimeout)
		expect("requested after 0s", "no longer requested", "ended: offer_timeout")

		w.request(app.sender(), "robot")
		book.read()
		closing := a(wire.TypeClose)
		closing.Reason = "v=0 in a reason"
		says(app.sender(), closing)
		expect("no longer requested", "ended: other", "forwarded in 1ms")
		w.released()
	})
}
