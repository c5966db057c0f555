package load

import (
	"context"
	"errors"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

const (
	// candidates is how many an app sends in each session, and gets back.
	candidates = 10
	// stepTime bounds every step of a session; the relay's own deadlines are
	// shorter.
	stepTime = 20 * time.Second
	// pause is how long an app waits after a refusal that does not say.
	pause = time.Second
)

// refusedError is an error message of the relay.
type refusedError struct {
	code  wire.Code
	after time.Duration
}

func (e *refusedError) Error() string { return string(e.code) }

// app has sessions, one after the other.
type app struct {
	*end
	inbox   chan wire.Message
	figures *figures
}

func newApp(cfg Config, f *figures) (*app, error) {
	a := &app{inbox: make(chan wire.Message, 256), figures: f}
	var err error
	a.end, err = newEnd(cfg, client.App(func() string { return cfg.Token }), f, func(_ *end, m wire.Message) {
		if m.Type == wire.TypeRobotStatus {
			return // one for each robot, again and again
		}
		select {
		case a.inbox <- m:
		default:
			f.failed("an app did not keep up")
		}
	})
	return a, err
}

// cycles goes round the robots, each app from another one on, until ctx ends.
func (a *app) cycles(ctx context.Context, from int, robots []Robot) {
	for i := from; ctx.Err() == nil; i++ {
		began := time.Now()
		told, err := a.cycle(ctx, robots[i%len(robots)].ID)
		if ctx.Err() != nil {
			return // cut off, and no fault
		}
		if err == nil {
			a.figures.cycled(told, time.Since(began))
			continue
		}
		a.figures.failed(err.Error())
		wait := pause
		if refused, ok := errors.AsType[*refusedError](err); ok && refused.after > 0 {
			wait = refused.after
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// cycle is one session, from the request to its end. It returns when the app was
// told its credentials.
func (a *app) cycle(ctx context.Context, robot wire.DeviceID) (told time.Duration, err error) {
	began := time.Now()
	err = a.say(wire.Message{Type: wire.TypeRequest, DeviceID: robot})
	if err != nil {
		return 0, err
	}
	credentials, err := a.hear(ctx, "", wire.TypeCredentials)
	if err != nil {
		return 0, err
	}
	told = time.Since(began)
	id := credentials.SessionID
	if _, err = a.hear(ctx, id, wire.TypeOffer); err != nil {
		return 0, err
	}
	answer := &wire.SessionDescription{Type: "answer", SDP: sdp}
	if err = a.say(wire.Message{Type: wire.TypeAnswer, SessionID: id, SDP: answer}); err != nil {
		return 0, err
	}
	for range candidates {
		c := &wire.Candidate{Candidate: "candidate:1 1 udp 2130706431 192.0.2.7 51234 typ host"}
		if err = a.say(wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: c}); err != nil {
			return 0, err
		}
	}
	for range candidates {
		if _, err = a.hear(ctx, id, wire.TypeICE); err != nil {
			return 0, err
		}
	}
	if err = a.say(wire.Message{Type: wire.TypeClose, SessionID: id}); err != nil {
		return 0, err
	}
	_, err = a.hear(ctx, id, wire.TypeClose)
	return told, err
}

func (a *app) say(m wire.Message) error {
	if a.client.Send(m) != nil {
		return errors.New("the connection was lost")
	}
	return nil
}

// hear waits for a message of a session, of any if id is empty. What is left of
// earlier ones is passed over.
func (a *app) hear(ctx context.Context, id wire.SessionID, kind wire.Type) (wire.Message, error) {
	late := time.NewTimer(stepTime)
	defer late.Stop()
	for {
		select {
		case m := <-a.inbox:
			switch {
			case m.Type == wire.TypeError && (m.SessionID == "" || m.SessionID == id):
				return m, &refusedError{m.Code, time.Duration(m.RetryAfter) * time.Second}
			case m.Type == kind && (id == "" || m.SessionID == id):
				return m, nil
			}
		case <-late.C:
			return wire.Message{}, errors.New("no " + string(kind) + " in time")
		case <-ctx.Done():
			return wire.Message{}, context.Cause(ctx)
		}
	}
}
