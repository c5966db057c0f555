package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"golang.org/x/time/rate"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/localsocket"
)

// Software is the robot's own software, which has the motors: whatever program has
// connected to the Unix socket last. A program that is replaced is disconnected: a
// restarted one need not wait until the old connection is noticed to be dead.
//
// Its methods may be called from any goroutine; only Serve waits.
type Software struct {
	listener *net.UnixListener // nil: there is no socket
	log      *slog.Logger
	onEvent  func(wire.Message) error
	pace     *rate.Limiter // of events
	programs sync.WaitGroup

	mu      sync.Mutex
	current *program // nil: none is connected
	alarm   Command  // the emergency stop that the next one has to read; none without a name
	stats   Stats
}

// Stats is what has gone over the socket.
type Stats struct {
	Connected     bool   `json:"connected"`      // a program takes commands
	EventsSent    uint64 `json:"events_sent"`    // to the relay
	EventsDropped uint64 `json:"events_dropped"` // bad, too many, or without a relay
}

// Listen opens the socket at path; with no path there is none, and every command is
// refused. onEvent takes the events of the robot's software, one at a time; it must
// not wait. Serve must be called, it frees the socket.
func Listen(ctx context.Context, path string, onEvent func(wire.Message) error, log *slog.Logger) (*Software, error) {
	s := &Software{log: log, onEvent: onEvent, pace: rate.NewLimiter(eventsPerSec, eventsAtOnce)}
	if path == "" {
		return s, nil
	}
	var err error
	if s.listener, err = localsocket.Listen(ctx, path); err != nil {
		return nil, fmt.Errorf("listen for the robot's software: %w", err)
	}
	return s, nil
}

// eventsPerSec and eventsAtOnce keep a program that has gone mad from using up what
// the relay grants the robot's events.
const eventsPerSec, eventsAtOnce = 50, 100

var (
	errTooMany = errors.New("too many events at once")
	errNoEvent = errors.New("it is no event; see robot/control/README.md")
)

// Serve serves the robot's software until ctx ends, and returns when the stop that
// was asked for last has been written, or could not be.
func (s *Software) Serve(ctx context.Context) {
	if s.listener == nil {
		<-ctx.Done()
		return
	}
	localsocket.Serve(ctx, s.listener, s.log, s.welcome)
	s.replace(nil)
	s.programs.Wait()
}

// hello is the first line of a connection.
//
//nolint:gochecknoglobals // a constant value
var hello = Command{Name: Stop, From: FromRobot, Reason: "the robot's software has connected"}

// welcome makes a connection the one that counts. What ran when the one before ended
// nobody has stopped: it begins with a stop.
func (s *Software) welcome(conn *net.UnixConn) {
	p := newProgram(conn)
	p.outbox.putStop(hello)
	s.replace(p)
	s.log.Info("the robot's software has connected")
	s.programs.Go(func() {
		err := p.serve(s.event)
		refuseAll(p.outbox.close(), noSoftware)
		s.forget(p)
		s.log.Info("the robot's software has disconnected", "error", err)
	})
}

// forget is the end of a connection. An emergency stop on its way is for the next.
func (s *Software) forget(p *program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == p {
		s.current = nil
	}
	alarm, found := p.outbox.unwritten()
	switch {
	case !found:
	case s.current != nil:
		s.current.outbox.putStop(alarm)
	default:
		s.alarm = alarm
	}
}

// replace ends the current connection when its last stop has been written.
func (s *Software) replace(with *program) {
	s.mu.Lock()
	before := s.current
	s.current = with
	if with != nil && s.alarm.Name != "" {
		with.outbox.putStop(s.alarm)
		s.alarm = Command{}
	}
	s.mu.Unlock()
	if before != nil {
		refuseAll(before.outbox.close(), noSoftware)
	}
}

func refuseAll(orders []order, why *refusal) {
	for _, o := range orders {
		o.refuse(why)
	}
}

// connected returns the current connection, or why there is none.
func (s *Software) connected() (*program, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.current != nil:
		return s.current, nil
	case s.listener == nil:
		return nil, noSocket
	default:
		return nil, noSoftware
	}
}

// drive, stop and order pass a command on, or say why not. begins says that nobody
// drove before, or somebody else.
func (s *Software) drive(from Origin, speed Speed, begins bool) *refusal {
	p, refused := s.connected()
	if refused == nil {
		return p.outbox.putMotor(from, speed, begins)
	}
	return refused
}

func (s *Software) stop(c Command) *refusal {
	p, refused := s.connected()
	if refused == nil && !p.outbox.putStop(c) {
		return noSoftware
	}
	return refused
}

func (s *Software) order(o order) *refusal {
	p, refused := s.connected()
	if refused == nil {
		return p.outbox.putOrder(o)
	}
	return refused
}

// event takes in one line of the robot's software: nil if it is an event, and the
// relay has it.
func (s *Software) event(line []byte) error {
	m, err := wire.Decode(line, wire.Robot)
	switch {
	case !s.pace.Allow():
		err = errTooMany
	case errors.Is(err, wire.ErrUnknownType), err == nil && !m.IsEvent():
		err = errNoEvent
	case err == nil:
		err = s.onEvent(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.stats.EventsDropped++
		return err
	}
	s.stats.EventsSent++
	return nil
}

// Stats returns what has happened so far.
func (s *Software) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Connected = s.current != nil
	return stats
}
