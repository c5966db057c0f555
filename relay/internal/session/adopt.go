package session

import (
	"context"
	"errors"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// returnTime is how long the parties of a session that was taken back are waited
// for at least: after a restart both are away, told to come back one after the
// other, and may find no relay at first.
const returnTime = 30 * time.Second

// remembered is how many closed sessions are known to be closed: enough for every
// party that missed the end of its session, because its socket was away, and hands
// in the ticket when it is back. Of older ones see [Service.Adopt].
const remembered = 4096

// errOver says that a session is not taken back, now or ever.
var errOver = errors.New("the session is over")

// Adopt takes back a session that outlived its relay: a party of it hands in the
// ticket, on a socket of its own. The other party is waited for. A session that is
// known, or whose ticket does not count, is left as it is, and what is said in it
// next finds it or not; a robot that holds one which is over is told to free it.
//
// Nobody gains by the ticket of a session that ended under an earlier relay. Both
// parties must be who they were, so they could just as well have a new session,
// for which there are the same limits; and it ends with the robot's next report,
// which does not list it, or after the grace time if the robot was the one.
func (s *Service) Adopt(ctx context.Context, from bus.Sender, id wire.SessionID, given wire.Ticket) {
	t, ok := s.tickets.read(given)
	if !ok || t.session != id || !t.isFor(from) {
		return
	}
	// The parties come at the same time: who is second waits for the first.
	_, err, _ := s.adopting.Do(string(id), func() (any, error) { return nil, s.adopt(ctx, t) })
	if err != nil && from.Party == wire.Robot {
		s.send(ctx, bus.RobotAddress(t.device), wire.Message{
			Type: wire.TypeClose, SessionID: id, Reason: wire.ReasonUnknown,
		})
	}
}

// adopt returns errOver if it is. A store that does not answer is asked again
// when the robot reports again.
func (s *Service) adopt(ctx context.Context, t ticket) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	address := bus.SessionAddress(t.session)
	if known, err := s.cfg.Bus.Owned(ctx, address); known || err != nil { // or cannot be known
		return nil
	}
	if s.isClosed(t.session) { // it was that before its address was given up
		return errOver
	}
	a := newActor(s, t.session, t.absentApp(), t.device)
	if !s.admit(a) {
		a.abandon()
		return nil
	}
	// Only now: a user who loses the robot from here on loses the session too.
	entitled, err := s.cfg.Owners.Entitled(ctx, t.user, t.device)
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "look up the robot's owner", "error", err)
		a.abandon()
		return nil
	}
	if !entitled {
		a.abandon()
		return errOver
	}
	release := s.cfg.Bus.Claim(address, a.deliver, nil)
	s.actors.Go(func() { a.takeUp(release, t.until) })
	return nil
}

// abandon ends a session that was never taken up.
func (a *actor) abandon() {
	a.free()
	close(a.ended)
}

// absentApp stands for the app until it comes: a socket of its user that nobody
// has, for sockets and sessions have different names.
func (t *ticket) absentApp() bus.Sender {
	return bus.Sender{Party: wire.App, Peer: bus.PeerID(t.session), User: t.user}
}

// takeUp is the session from its return to its end. Its credentials are still
// good: nothing is minted, and media is not disturbed, before they are due.
func (a *actor) takeUp(release func() bool, until time.Time) {
	defer a.turnAway()
	defer close(a.ended)
	defer a.free()
	defer release()
	a.log.InfoContext(a.ctx, "session taken back")
	a.loans.inherit(until)
	a.apply(a.machine.Adopt(a.robotPresent()))
	a.serve()
}

// admit registers the session of an absent app, unless its robot has as many of
// them as it can report.
func (s *Service) admit(a *actor) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.adopted[a.device] == wire.MaxSessions {
		return false
	}
	s.adopted[a.device]++
	a.adopted = true
	s.put(viewer{a.app.User, a.app.Peer, a.device}, a)
	return true
}

// disown gives the place back that admit has given.
func (s *Service) disown(a *actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.adopted[a.device]--; s.adopted[a.device] == 0 {
		delete(s.adopted, a.device)
	}
}

func (s *Service) isClosed(id wire.SessionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed.has(id)
}

func (s *Service) close(id wire.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.add(id)
}

// recent remembers the newest of many sessions. Its zero value remembers none.
type recent struct {
	ring []wire.SessionID
	next int // the oldest, once there are enough
	ids  map[wire.SessionID]struct{}
}

func (r *recent) has(id wire.SessionID) bool {
	_, has := r.ids[id]
	return has
}

func (r *recent) add(id wire.SessionID) {
	if r.ids == nil {
		r.ids = map[wire.SessionID]struct{}{}
	}
	r.ids[id] = struct{}{}
	if len(r.ring) < remembered {
		r.ring = append(r.ring, id)
		return
	}
	delete(r.ids, r.ring[r.next])
	r.ring[r.next] = id
	r.next = (r.next + 1) % remembered
}
