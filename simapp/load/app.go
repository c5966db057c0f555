package load

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

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
	// leaveTime bounds the goodbye to a session that is cut off.
	leaveTime = 2 * time.Second
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

func newApp(cfg Config, robots *fleet, f *figures) (*app, error) {
	a := &app{inbox: make(chan wire.Message, 256), figures: f}
	var err error
	a.end, err = newEnd(cfg, client.App(func() string { return cfg.Token }), f, func(_ *end, m wire.Message) {
		if m.Type == wire.TypeRobotStatus {
			if m.Online != nil && *m.Online {
				robots.online(m.DeviceID)
			}
			return
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
func (a *app) cycles(ctx context.Context, pace *rate.Limiter, from int, robots []Robot) {
	for i := from; pace.Wait(ctx) == nil; i++ {
		err := a.cycle(ctx, robots[i%len(robots)].ID)
		if ctx.Err() != nil {
			return // cut off, and no fault
		}
		if err == nil {
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

// cycle is one session, from the request to its end.
func (a *app) cycle(ctx context.Context, robot wire.DeviceID) error {
	began := time.Now()
	watch := stopwatch{last: began}
	if err := a.say(wire.Message{Type: wire.TypeRequest, DeviceID: robot}); err != nil {
		return err
	}
	credentials, err := a.hear(ctx, "", wire.TypeCredentials)
	if err != nil {
		a.withdraw(ctx)
		return err
	}
	watch.lap("credentials")
	if err = a.negotiate(ctx, credentials.SessionID, &watch); err != nil {
		a.leave(ctx, credentials.SessionID)
		return err
	}
	a.figures.cycled(watch.laps, time.Since(began))
	return nil
}

// negotiate is what follows the credentials.
func (a *app) negotiate(ctx context.Context, id wire.SessionID, watch *stopwatch) error {
	if _, err := a.hear(ctx, id, wire.TypeOffer); err != nil {
		return err
	}
	watch.lap("offer")
	answer := &wire.SessionDescription{Type: "answer", SDP: sdp}
	if err := a.say(wire.Message{Type: wire.TypeAnswer, SessionID: id, SDP: answer}); err != nil {
		return err
	}
	for range candidates {
		c := &wire.Candidate{Candidate: "candidate:1 1 udp 2130706431 192.0.2.7 51234 typ host"}
		if err := a.say(wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: c}); err != nil {
			return err
		}
	}
	for range candidates {
		if _, err := a.hear(ctx, id, wire.TypeICE); err != nil {
			return err
		}
	}
	watch.lap("candidates")
	if err := a.say(wire.Message{Type: wire.TypeClose, SessionID: id}); err != nil {
		return err
	}
	_, err := a.hear(ctx, id, wire.TypeClose)
	watch.lap("close")
	return err
}

// withdraw ends the session of a request that is cut off before its answer.
func (a *app) withdraw(ctx context.Context) {
	if ctx.Err() == nil {
		return // the request has failed
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if credentials, err := a.hear(patient, "", wire.TypeCredentials); err == nil {
		a.leave(ctx, credentials.SessionID)
	}
}

// leave ends a session that did not come to its end, so that the relay does not
// keep it.
func (a *app) leave(ctx context.Context, id wire.SessionID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if a.say(wire.Message{Type: wire.TypeClose, SessionID: id}) == nil {
		_, _ = a.hear(ctx, id, wire.TypeClose)
	}
}

// stopwatch measures the steps of a session.
type stopwatch struct {
	last time.Time
	laps []lap
}

type lap struct {
	step string
	took time.Duration
}

func (w *stopwatch) lap(step string) {
	now := time.Now()
	w.laps = append(w.laps, lap{step, now.Sub(w.last)})
	w.last = now
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
