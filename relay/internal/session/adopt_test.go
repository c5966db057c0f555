package session

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// restart puts another relay in the place of this one: everybody is away.
func (w *world) restart() {
	w.Helper()
	synctest.Wait()
	w.stop()
	w.service.Wait()
	if n := w.bus.joined.Load(); n != 0 {
		w.Errorf("%d topics are joined still", n)
	}
	if err := w.pool.Close(w.Context()); err != nil {
		w.Error(err)
	}
	w.bus, w.pool = &countingBus{Memory: bus.NewMemory()}, newPool(w.T, w.provider)
	w.cfg.Bus, w.cfg.Credentials = w.bus, w.pool
	ctx, stop := context.WithCancel(w.Context())
	w.stop, w.service = stop, NewService(ctx, w.cfg)
	w.journal.lines = nil
}

// session returns a session by its number, with its ticket.
func (w *world) session(number int) (wire.SessionID, wire.Ticket) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	of := w.sessions[number-1]
	return of, w.tickets[of]
}

// report lets the robot come and say which sessions it has.
func (w *world) report(connected bool, numbers ...int) {
	w.connect(robot.sender())
	w.announce(bus.Back, robot.sender())
	reports := []wire.SessionReport{}
	for _, number := range numbers {
		of, ticket := w.session(number)
		reports = append(reports, wire.SessionReport{SessionID: of, Connected: connected, Ticket: ticket})
		w.service.Adopt(w.Context(), robot.sender(), of, ticket)
	}
	w.bus.Publish(w.Context(), bus.PresenceTopic(bus.RobotAddress("robot")), bus.Envelope{
		From: robot.sender(), Message: wire.Message{Type: wire.TypeHello, Sessions: reports},
	})
}

// resume lets an app come and ask for its session. It reports whether there was
// anybody to ask.
func (w *world) resume(who bus.Sender, number int, restart bool) bool {
	of, ticket := w.session(number)
	w.connect(who)
	w.service.Adopt(w.Context(), who, of, ticket)
	return w.bus.Send(w.Context(), bus.SessionAddress(of), bus.Envelope{From: who, Message: wire.Message{
		Type: wire.TypeResume, SessionID: of, Restart: restart, Ticket: ticket,
	}}) == nil
}

// TestRestart: whatever state a session was in, and whoever was away when the
// relay went, it goes on with whoever comes first, and ends as any other.
func TestRestart(t *testing.T) {
	for _, state := range states()[:Closed] {
		for _, away := range []who{0, app, robot, app | robot} {
			for _, first := range []who{app, robot} {
				if state == Requested && away&robot != 0 {
					continue // over with the robot
				}
				t.Run(fmt.Sprintf("%s, away %d, %s first", state, away, names[first]), func(t *testing.T) {
					inWorld(t, nil, func(w *world) { w.survivesRestart(state, away, first) })
				})
			}
		}
	}
}

func (w *world) survivesRestart(state State, away, first who) {
	w.Helper()
	w.connect(app.sender())
	w.connect(robot.sender())
	w.request(app.sender(), "robot")
	synctest.Wait()
	for step, m := range []bus.Envelope{
		Offered: from(robot, wire.TypeOffer), Answered: from(app, wire.TypeAnswer), Connected: from(robot, wire.TypeHeartbeat),
	} {
		if step > 0 && State(step) <= state {
			_ = w.say(m.From, m.Message)
		}
	}
	for _, one := range away.split() {
		w.announce(bus.Lost, one.sender())
	}
	w.restart()
	if first == robot {
		w.report(state == Connected, 1)
		w.said()
	}
	if !w.resume(sibling.sender(), 1, false) {
		w.Fatal("nobody was asked")
	}
	w.said("sibling:webrtc_resumed#1")
	if first == app {
		w.report(state == Connected, 1)
		w.said()
	}
	w.pass(2 * grace)
	w.said()
	for _, step := range []struct {
		envelope bus.Envelope
		want     string
	}{
		{from(robot, wire.TypeOffer), "sibling:webrtc_offer#1"},
		{from(sibling, wire.TypeAnswer), "robot:webrtc_answer#1"},
		{from(sibling, wire.TypeICE), "robot:webrtc_ice#1"},
	} {
		if err := w.say(step.envelope.From, step.envelope.Message); err != nil {
			w.Fatal(err)
		}
		w.said(step.want)
	}
	if w.service.Count() != 1 {
		w.Errorf("%d sessions", w.service.Count())
	}
	_ = w.say(sibling.sender(), a(wire.TypeClose))
	w.said("sibling:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1")
	w.service.Wait()
	if minted, revoked := w.provider.counts(); minted != 1 || revoked != 0 {
		w.Errorf("%d credentials were minted, %d revoked: one was, and its lease is lost", minted, revoked)
	}
}

// TestComeTogether: of two parties that come at the same time one brings the
// session back, and the other finds it.
func TestComeTogether(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		slow := &slowOwners{owners{"owner": {"robot"}}, make(chan struct{})}
		w.cfg.Owners = slow
		w.restart()
		go w.report(true, 1)
		resumed := make(chan bool)
		go func() { resumed <- w.resume(sibling.sender(), 1, false) }()
		synctest.Wait()
		close(slow.hold)
		if !<-resumed {
			t.Error("the app found no session")
		}
		w.said("sibling:webrtc_resumed#1")
		w.pass(2 * grace) // in which a second one, without its app, would end
		w.said()
		if w.service.Count() != 1 {
			t.Errorf("%d sessions", w.service.Count())
		}
	})
}

// slowOwners is a store that hangs.
type slowOwners struct {
	owners

	hold chan struct{}
}

func (o *slowOwners) Entitled(ctx context.Context, user store.UserID, robot wire.DeviceID) (bool, error) {
	select {
	case <-o.hold:
		return o.owners.Entitled(ctx, user, robot)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// TestOneStaysAway: the other is waited for, after a restart a little longer than
// the shortest grace time, for everybody was told to be late.
func TestOneStaysAway(t *testing.T) {
	for _, c := range []struct{ grace, want time.Duration }{
		{0, returnTime}, {time.Second, returnTime}, {turn.DefaultTTL / 2, turn.DefaultTTL / 2},
	} {
		inWorld(t, func(cfg *Config, _ *provider) { cfg.Grace = c.grace }, func(w *world) {
			w.answered()
			w.restart()
			w.report(true, 1)
			w.pass(c.want - time.Millisecond)
			w.said()
			w.pass(time.Millisecond)
			w.said("robot:webrtc_close/app_gone#1")
			w.service.Wait()
		})
		inWorld(t, func(cfg *Config, _ *provider) { cfg.Grace = c.grace }, func(w *world) {
			w.answered()
			w.restart()
			w.resume(sibling.sender(), 1, false)
			w.said("sibling:webrtc_resumed#1")
			w.pass(c.want - time.Millisecond)
			w.said()
			w.pass(time.Millisecond)
			w.said("sibling:webrtc_close/robot_gone#1")
			w.service.Wait()
		})
	}
}

// TestRobotHasLostTheSession: an app alone can bring a session back that ended
// under another relay, until the robot says which it has.
func TestRobotHasLostTheSession(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.restart()
		w.resume(sibling.sender(), 1, false)
		w.said("sibling:webrtc_resumed#1")
		w.report(true)
		w.said("sibling:webrtc_close/robot_left#1", "robot:webrtc_close/robot_left#1")
		w.service.Wait()
		if w.resume(sibling.sender(), 1, false) {
			t.Error("brought back again")
		}
	})
}

// TestClosedStaysClosed: a robot that missed the end of its session is told when
// it reports it, and nobody brings it back.
func TestClosedStaysClosed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		_, releaseRobot := w.answered()
		w.lose(robot.sender(), releaseRobot)
		w.pass(grace)
		w.said("app:webrtc_close/robot_gone#1")
		w.report(true, 1)
		w.said("robot:webrtc_close/session_unknown#1")
		if w.resume(app.sender(), 1, false) {
			t.Error("brought back")
		}
		w.said()
		w.released()
	})
}

// TestRefusedTickets: to everybody else the session does not exist, and a robot is
// told that it is over where that is sure.
func TestRefusedTickets(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*world) // after the restart
		who      who
		session  wire.SessionID // another than the ticket's
		overTold bool
	}{
		"another user":                   {nil, strangerApp, "", false},
		"another robot":                  {nil, strangerRobot, "", false},
		"another session, app":           {nil, app, "session-2", false},
		"another session, robot":         {nil, robot, "session-2", false},
		"other keys, app":                {withKeys("other"), app, "", false},
		"other keys, robot":              {withKeys("other"), robot, "", false},
		"no keys":                        {withKeys(), robot, "", false},
		"too old":                        {func(w *world) { w.pass(ticketLife + time.Second) }, robot, "", false},
		"the user lost the robot, app":   {withOwners(owners{}), app, "", false},
		"the user lost the robot, robot": {withOwners(owners{"stranger": {"robot"}}), robot, "", true},
		"the store is broken, app":       {withOwners(broken{}), app, "", false},
		"the store is broken, robot":     {withOwners(broken{}), robot, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.answered()
				w.restart()
				if c.change != nil {
					c.change(w)
					w.restart()
				}
				of, ticket := w.session(1)
				if c.session != "" {
					of = c.session
				}
				w.connect(c.who.sender())
				w.service.Adopt(w.Context(), c.who.sender(), of, ticket)
				if there, _ := w.bus.Owned(w.Context(), bus.SessionAddress(of)); there || w.service.Count() != 0 {
					t.Error("taken back")
				}
				if c.overTold {
					w.said("robot:webrtc_close/session_unknown#1")
				}
				w.said()
				if len(w.service.adopted) != 0 {
					t.Errorf("places are taken: %v", w.service.adopted)
				}
			})
		})
	}
}

// broken is a store that does not work.
type broken struct{ owners }

func (broken) Entitled(context.Context, store.UserID, wire.DeviceID) (bool, error) {
	return false, fmt.Errorf("disk on fire")
}

func withKeys(keys ...string) func(*world) {
	return func(w *world) {
		w.cfg.TicketKeys = nil
		for _, key := range keys {
			w.cfg.TicketKeys = append(w.cfg.TicketKeys, []byte(key))
		}
	}
}

func withOwners(o Owners) func(*world) { return func(w *world) { w.cfg.Owners = o } }

// TestRotatedKey: a relay that signs with another key knows the old one's tickets,
// and the session gets a new one with its next credentials.
func TestRotatedKey(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		withKeys("new", "key")(w)
		w.restart()
		w.report(true, 1)
		w.resume(sibling.sender(), 1, true)
		w.pass(time.Millisecond)
		w.said("sibling:webrtc_resumed#1", "sibling:webrtc_credentials#1", "robot:webrtc_credentials#1")
		withKeys("new")(w)
		w.restart()
		w.report(true, 1)
		if w.service.Count() != 1 {
			t.Error("the new ticket is not of the new key")
		}
	})
}

// TestAdoptionLimit: a robot has no more sessions taken back than it can report,
// and the place of one that has ended is free.
func TestAdoptionLimit(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		keys := newTickets(w.cfg.TicketKeys)
		adopt := func(n int) bool {
			of := ticket{session: wire.SessionID(fmt.Sprintf("session-%d", n)), user: "owner", device: "robot"}
			w.service.Adopt(w.Context(), robot.sender(), of.session, keys.sign(of))
			there, _ := w.bus.Owned(w.Context(), bus.SessionAddress(of.session))
			return there
		}
		for n := range wire.MaxSessions + 2 {
			if got, want := adopt(n), n < wire.MaxSessions; got != want {
				t.Errorf("session %d: %t", n, got)
			}
		}
		_ = w.bus.Send(w.Context(), bus.SessionAddress("session-0"), bus.Envelope{Kind: bus.End, Message: wire.Message{Reason: wire.ReasonUnauthorized}})
		synctest.Wait()
		if !adopt(wire.MaxSessions) {
			t.Error("the place is not free")
		}
	})
}

// TestInheritedCredentials are renewed after 80 % of what was left of their life,
// and not before: nothing restarts ICE just because the relay was restarted.
func TestInheritedCredentials(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.pass(turn.DefaultTTL / 2)
		w.restart()
		w.report(true, 1)
		w.resume(sibling.sender(), 1, false)
		w.said("sibling:webrtc_resumed#1")
		w.pass(turn.DefaultTTL/2*8/10 - 2*time.Second)
		w.said()
		w.pass(4 * time.Second)
		w.said("sibling:webrtc_credentials#1", "robot:webrtc_credentials#1")
		if minted, _ := w.provider.counts(); minted != 2 {
			t.Errorf("%d minted", minted)
		}
		w.pass(turn.DefaultTTL * 8 / 10)
		w.said("sibling:webrtc_credentials#1", "robot:webrtc_credentials#1")
		_ = w.say(sibling.sender(), a(wire.TypeClose))
		w.said("sibling:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1")
		w.service.Wait()
		synctest.Wait()
		if minted, revoked := w.provider.counts(); minted != 3 || revoked != 2 {
			t.Errorf("%d minted, %d revoked: all but the first, whose lease is lost", minted, revoked)
		}
	})
}

// TestNothingToInherit: credentials that never end are not renewed; a session that
// began without them gets some as soon as it is taken back.
func TestNothingToInherit(t *testing.T) {
	inWorld(t, func(c *Config, _ *provider) {
		c.Credentials = newPool(t, turn.None{})
	}, func(w *world) {
		w.answered()
		w.restart()
		w.report(true, 1)
		w.resume(sibling.sender(), 1, false)
		w.said("sibling:webrtc_resumed#1")
		w.pass(turn.MaxTTL)
		w.said()
	})
	inWorld(t, func(_ *Config, p *provider) { p.err = &turn.Error{Kind: turn.KindStatus, Status: 401} }, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials/turn_unavailable#1", "robot:webrtc_request#1")
		w.restart()
		w.provider.become(nil, nil)
		w.report(false, 1)
		w.said("robot:webrtc_credentials#1")
	})
}

// TestRestartOfICEAfterARestart: an app that has lost its path as well gets
// credentials that this relay knows.
func TestRestartOfICEAfterARestart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.restart()
		hold := make(chan struct{})
		w.provider.become(nil, hold)
		w.report(true, 1)
		for range 3 { // the app is impatient
			w.resume(sibling.sender(), 1, true)
			w.pass(time.Millisecond)
			w.said("sibling:webrtc_resumed#1")
		}
		close(hold)
		w.said("sibling:webrtc_credentials#1", "robot:webrtc_credentials#1")
		w.resume(sibling.sender(), 1, true)
		w.said("sibling:webrtc_resumed#1", "sibling:webrtc_credentials#1", "robot:webrtc_credentials#1")
		if minted, _ := w.provider.counts(); minted != 2 {
			t.Errorf("%d minted", minted)
		}
	})
}

// TestEndWhileFetching: however often credentials were asked for, none are left.
func TestEndWhileFetching(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.restart()
		hold := make(chan struct{})
		w.provider.become(nil, hold)
		w.report(true, 1)
		for range 3 {
			w.resume(sibling.sender(), 1, true)
			w.pass(time.Millisecond)
			w.said("sibling:webrtc_resumed#1")
		}
		_ = w.say(sibling.sender(), a(wire.TypeClose))
		w.said("sibling:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1")
		close(hold)
		w.service.Wait()
		synctest.Wait()
		if minted, revoked := w.provider.counts(); minted != 2 || revoked != 1 {
			t.Errorf("%d minted, %d revoked: all but the first, whose lease is lost", minted, revoked)
		}
	})
}

// TestTwoViewersAfterARestart: each has its own session back, and supersedes none
// but its own.
func TestTwoViewersAfterARestart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		again, other := app.sender(), sibling.sender()
		again.Peer, other.Peer = "app-again", "sibling-again"
		for n, who := range []bus.Sender{app.sender(), sibling.sender()} {
			w.connect(who)
			w.connect(robot.sender())
			w.request(who, "robot")
			w.said(fmt.Sprintf("%s:webrtc_credentials#%d", who.Peer, n+1), fmt.Sprintf("robot:webrtc_request#%d", n+1))
			_ = w.say(robot.sender(), a(wire.TypeOffer))
			w.said(fmt.Sprintf("%s:webrtc_offer#%d", who.Peer, n+1))
		}
		w.restart()
		w.report(true, 1, 2)
		w.resume(again, 1, false)
		w.said("app-again:webrtc_resumed#1")
		w.resume(other, 2, false)
		w.said("sibling-again:webrtc_resumed#2")
		w.request(again, "robot")
		w.said("robot:webrtc_close/superseded#1", "app-again:webrtc_credentials#3", "robot:webrtc_request#3")
		_ = w.say(robot.sender(), a(wire.TypeOffer))
		w.said("app-again:webrtc_offer#3")
		if w.service.Count() != 2 {
			t.Errorf("%d sessions", w.service.Count())
		}
		// A robot that missed the close reports the session still.
		w.report(true, 1, 2, 3)
		w.said("robot:webrtc_close/session_unknown#1")
		if w.service.Count() != 2 {
			t.Errorf("%d sessions", w.service.Count())
		}
	})
}

// TestRequestInsteadOfResume: an app that asks anew gets a new session; the one it
// left waits for it in vain.
func TestRequestInsteadOfResume(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.restart()
		w.report(true, 1)
		w.connect(sibling.sender())
		w.request(sibling.sender(), "robot")
		w.said("sibling:webrtc_credentials#2", "robot:webrtc_request#2")
		_ = w.say(robot.sender(), a(wire.TypeOffer))
		w.said("sibling:webrtc_offer#2")
		_ = w.say(sibling.sender(), a(wire.TypeAnswer))
		w.said("robot:webrtc_answer#2")
		w.pass(grace)
		w.said("robot:webrtc_close/app_gone#1")
	})
}

// TestRecent: only so many are remembered, and the newest are.
func TestRecent(t *testing.T) {
	var r recent
	name := func(n int) wire.SessionID { return wire.SessionID(fmt.Sprint(n)) }
	for n := range 2*remembered + 1 {
		if r.has(name(n)) {
			t.Fatalf("%d is there already", n)
		}
		r.add(name(n))
	}
	if len(r.ids) != remembered || len(r.ring) != remembered {
		t.Errorf("%d and %d are remembered", len(r.ids), len(r.ring))
	}
	for n := range 2*remembered + 1 {
		if got, want := r.has(name(n)), n > remembered; got != want {
			t.Fatalf("%d: %t", n, got)
		}
	}
}

// TestStoriesAfterARestart are of the machine alone.
func TestStoriesAfterARestart(t *testing.T) {
	t.Run("the robot is there", func(t *testing.T) {
		m := newMachine()
		if got, want := outcome(m, Requested, m.Adopt(true)), "grace=1m0s answered"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		play(t, m, []step{
			on(from(robot, wire.TypeHello), "connected"),
			on(from(robot, wire.TypeOffer), "app:webrtc_offer"),
			on(from(strangerApp, wire.TypeResume), "stranger-app:error/SESSION_UNKNOWN"),
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed grace=0s sibling:webrtc_offer"),
			on(from(sibling, wire.TypeAnswer), "robot:webrtc_answer"),
			after(PhaseTimer, ""),
			after(GraceTimer, ""),
		})
	})
	t.Run("nobody is there", func(t *testing.T) {
		m := newMachine()
		m.Adopt(false)
		play(t, m, []step{
			on(from(sibling, wire.TypeResume), "sibling:webrtc_resumed"),
			on(back(robot), "grace=0s"),
			on(lost(robot), "grace=1m0s"),
			after(GraceTimer, "sibling:webrtc_close/robot_gone robot:webrtc_close/robot_gone closed"),
		})
	})
	t.Run("a lost path", func(t *testing.T) {
		m := newMachine()
		m.Adopt(true)
		resume := from(sibling, wire.TypeResume)
		resume.Message.Restart = true
		play(t, m, []step{on(resume, "sibling:webrtc_resumed grace=0s renewal=1ns")})
		effects := m.Renew(wire.Message{ICEServers: &wire.ICEServers{}, Ticket: "ticket"})
		if got, want := outcome(m, Answered, effects), "sibling:webrtc_credentials robot:webrtc_credentials"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if effects[0].Message.Ticket != "ticket" || effects[1].Message.Ticket != "ticket" {
			t.Error("the new ticket is not told")
		}
		play(t, m, []step{on(resume, "sibling:webrtc_resumed grace=0s sibling:webrtc_credentials robot:webrtc_credentials")})
	})
}
