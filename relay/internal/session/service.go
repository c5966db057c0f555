// Package session holds the sessions of a relay: one app watching one robot.
//
// A session is a [Machine] (what may happen) in an actor (one goroutine that
// owns it, its timers and its inbox). service.go lets apps ask for sessions,
// actor.go runs one, adopt.go takes those back that outlived a relay.
package session

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// lookupTimeout bounds what is asked of the store for one request.
const lookupTimeout = 5 * time.Second

// Owners knows which robots a user owns, and may watch; see [store.Devices].
type Owners interface {
	DevicesOf(ctx context.Context, user store.UserID) ([]wire.DeviceID, error)
	Entitled(ctx context.Context, user store.UserID, robot wire.DeviceID) (bool, error)
}

// Credentials lends TURN credentials.
type Credentials interface {
	Acquire(ctx context.Context, key turn.Key) (*turn.Lease, error)
}

// Config is what sessions need. It is not changed after [NewService].
type Config struct {
	Bus          bus.Bus
	Owners       Owners
	Credentials  Credentials
	TURNRequired bool          // no session without TURN
	FallbackSTUN []string      // offered when there are none
	Grace        time.Duration // how long a lost socket is waited for
	Meter        Meter         // may be nil
	TicketKeys   [][]byte      // sign session tickets: the first signs, all verify; none: no tickets
	Limits       config.Quotas
	Log          *slog.Logger
}

// Service starts sessions and knows those that run. Its methods may be called
// from any goroutine.
type Service struct {
	cfg      Config
	ctx      context.Context //nolint:containedctx // the life of every session
	tickets  tickets
	adopting singleflight.Group // by session
	actors   sync.WaitGroup

	mu      sync.Mutex
	running map[viewer]*actor     // guarded by mu
	users   map[store.UserID]int  // guarded by mu: how many of them are whose
	robots  map[wire.DeviceID]int // guarded by mu: and with which robot
	adopted map[wire.DeviceID]int // guarded by mu: sessions taken back that still run
	closed  recent                // guarded by mu
}

// viewer is one app socket watching one robot: it has at most one session.
type viewer struct {
	user  store.UserID
	peer  bus.PeerID
	robot wire.DeviceID
}

// NewService returns a service whose sessions end, without a word to anybody,
// when ctx does: media that flows peer to peer outlives a relay.
func NewService(ctx context.Context, cfg Config) *Service {
	if cfg.Meter == nil {
		cfg.Meter = unmeasured{}
	}
	return &Service{
		cfg: cfg, ctx: ctx, tickets: newTickets(cfg.TicketKeys),
		running: map[viewer]*actor{}, users: map[store.UserID]int{}, robots: map[wire.DeviceID]int{},
		adopted: map[wire.DeviceID]int{},
	}
}

// Count returns the number of sessions.
func (s *Service) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running)
}

// Wait returns when every session has ended.
func (s *Service) Wait() { s.actors.Wait() }

// Request starts a session for an app that wants to watch a robot. An empty
// device means the user's only one. The app hears of everything else, failure
// included, by messages to its address. Requests of one app are to be made one
// after the other: a later one supersedes an earlier one for the same robot.
func (s *Service) Request(ctx context.Context, app bus.Sender, device wire.DeviceID) {
	device, refusal := s.resolve(ctx, app.User, device)
	if refusal != nil {
		s.refuse(ctx, app, refusal)
		return
	}
	a := newActor(s, wire.SessionID(uuid.NewString()), app, device)
	before, ok := s.register(viewer{app.User, app.Peer, device}, a)
	if !ok {
		a.abandon()
		s.refuse(ctx, app, tooMany(device, s.cfg.Grace))
		return
	}
	if before != nil {
		before.stop(wire.ReasonSuperseded)
	}
	s.actors.Go(func() { a.run(before) })
}

// resolve answers which robot a request means, or why there is none.
func (s *Service) resolve(ctx context.Context, user store.UserID, asked wire.DeviceID) (wire.DeviceID, *wire.Message) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	owned, err := s.owned(ctx, user, asked)
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "look up the user's robots", "error", err)
		return "", refuse(asked, wire.CodeInternal, "Internal error, please try again")
	}
	return Choose(owned, asked)
}

// owned returns those of the user's robots that may be meant: the one that was asked
// for, or all if none was.
func (s *Service) owned(ctx context.Context, user store.UserID, asked wire.DeviceID) ([]wire.DeviceID, error) {
	if asked == "" {
		return s.cfg.Owners.DevicesOf(ctx, user)
	}
	if entitled, err := s.cfg.Owners.Entitled(ctx, user, asked); !entitled || err != nil {
		return nil, err
	}
	return []wire.DeviceID{asked}, nil
}

// Choose answers which of a user's robots is meant, or with an error message
// why none: there is no way to tell a robot of somebody else from one that
// does not exist.
func Choose(owned []wire.DeviceID, asked wire.DeviceID) (wire.DeviceID, *wire.Message) {
	switch {
	case asked == "" && len(owned) == 1:
		return owned[0], nil
	case asked == "":
		return "", refuse("", wire.CodeNoDevice, "Say which robot: device_id is missing")
	case slices.Contains(owned, asked):
		return asked, nil
	default:
		return "", refuse(asked, wire.CodeNotAuthorized, "Not authorized")
	}
}

// refuse answers a request for which there is no session.
func (s *Service) refuse(ctx context.Context, app bus.Sender, refusal *wire.Message) {
	s.cfg.Log.InfoContext(ctx, "session refused", "user", app.User, "device", refusal.DeviceID, "code", refusal.Code)
	s.send(ctx, bus.AppAddress(app.Peer), *refusal)
}

// tooMany is the answer when there are as many sessions as may be. Those of apps
// that were lost have ended after the grace time.
func tooMany(device wire.DeviceID, grace time.Duration) *wire.Message {
	refusal := refuse(device, wire.CodeRateLimited, "Too many sessions")
	refusal.RetryAfter = max(1, int(grace.Seconds()))
	return refusal
}

func refuse(device wire.DeviceID, code wire.Code, text string) *wire.Message {
	return &wire.Message{Type: wire.TypeError, DeviceID: device, Code: code, Text: text}
}

// register makes a the viewer's session and returns the one before, if any. It
// refuses if the user or the robot has as many sessions as may be; one that
// supersedes another is none more.
func (s *Service) register(v viewer, a *actor) (before *actor, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func(held, most int) bool { return most > 0 && held >= most }
	limits := &s.cfg.Limits
	if s.running[v] == nil && (full(s.users[v.user], limits.UserSessions) || full(s.robots[v.robot], limits.DeviceSessions)) {
		return nil, false
	}
	return s.put(v, a), true
}

// move follows an app that resumed its session on another socket.
func (s *Service) move(a *actor, app bus.Sender) {
	s.mu.Lock()
	s.take(a)
	before := s.put(viewer{app.User, app.Peer, a.device}, a)
	s.mu.Unlock()
	s.Renewed(app)
	if before != nil {
		before.stop(wire.ReasonSuperseded)
	}
}

// Renewed notes that an app's socket lives by another token: its sessions do, too.
func (s *Service) Renewed(app bus.Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v, a := range s.running {
		if v.peer == app.Peer {
			a.app = app
		}
	}
}

// End ends the sessions whose app has lost the right to them, and returns the
// robots they were with. Both parties are told; what they are told is on its way
// when End returns, unless ctx ends first.
func (s *Service) End(ctx context.Context, lost func(app bus.Sender, robot wire.DeviceID) bool) []wire.DeviceID {
	var ending []*actor
	s.mu.Lock()
	for v, a := range s.running {
		if lost(a.app, v.robot) {
			ending = append(ending, a)
		}
	}
	s.mu.Unlock()
	robots := make([]wire.DeviceID, 0, len(ending))
	for _, a := range ending {
		robots = append(robots, a.device)
		a.stop(wire.ReasonUnauthorized)
	}
	for _, a := range ending {
		select {
		case <-a.ended:
		case <-ctx.Done():
		}
	}
	return robots
}

func (s *Service) forget(a *actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(a)
}

// put needs the lock.
func (s *Service) put(v viewer, a *actor) (before *actor) {
	before = s.running[v]
	if before == nil {
		s.users[v.user]++
		s.robots[v.robot]++
	}
	s.running[v] = a
	a.viewer = v
	return before
}

// take needs the lock. A session that was superseded is not there any more.
func (s *Service) take(a *actor) {
	if s.running[a.viewer] != a {
		return
	}
	delete(s.running, a.viewer)
	decrement(s.users, a.viewer.user)
	decrement(s.robots, a.viewer.robot)
}

// decrement leaves no zero behind: the map holds those who have sessions.
func decrement[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// send delivers a message of the relay. A receiver that is not there has lost
// its socket, which its session hears of by itself.
func (s *Service) send(ctx context.Context, address string, m wire.Message) {
	_ = s.cfg.Bus.Send(ctx, address, bus.Envelope{From: bus.Sender{Party: wire.Relay}, Message: m})
}
