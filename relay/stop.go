package relay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// An orderly end takes drainTime at most: an upgrade waits for it, and service
// managers kill what takes much longer than 10 s. What hangs even then is left
// behind at hangTime. Requests get requestTime of it: one that is sent for ever
// must not take the time from what comes after, the end of TURN credentials.
const (
	requestTime = 3 * time.Second
	drainTime   = 8 * time.Second
	hangTime    = 9 * time.Second
	// lockTime is how long a database that somebody else has locked may hang.
	lockTime = 6 * time.Second
)

// step is a part of an orderly end. It should return when the context ends.
type step struct {
	what string
	end  func(context.Context) error
}

// stop ends everything in the order in which nobody is surprised: the sessions
// before the sockets, whose loss is no session's end; then what they used.
func (r *Relay) stop(ctx context.Context, background func()) error {
	r.ended()
	r.closing() // from here on /ready says no, and every socket is told to come back
	return drain(ctx,
		step{"requests", func(ctx context.Context) error { return shutdown(ctx, r.server) }},
		step{"sockets", wait(r.api.Wait)},
		step{"sessions", wait(r.sessions.Wait)},
		step{"robots", r.noteLast},
		step{"listener and background", wait(background)},
		step{"TURN credentials", r.pool.Close},
		step{"TURN provider", wait(r.closeProvider)},
		step{"admin listener", r.admin.Close},
		step{"store", func(context.Context) error { return r.store.Close() }},
	)
}

// wait is a step that knows no context.
func wait(done func()) func(context.Context) error {
	return func(context.Context) error { done(); return nil }
}

// shutdown stops listening and waits for the requests under way. Those that take
// too long are broken off, which is no failure: anybody can send one.
func shutdown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

// noteLast tells the store which robots have left with the sockets, unless too much
// has hung already: it is no more than a convenience.
func (r *Relay) noteLast(ctx context.Context) error {
	if end, _ := ctx.Deadline(); time.Until(end) > lockTime {
		r.hub.NoteLast(ctx)
	}
	return nil
}

func (r *Relay) closeProvider() {
	if r.cloudflare != nil {
		r.cloudflare.Close()
	}
}

// drain takes one step after the other. One that hangs is given up, and with it
// those that come after, for which there is no time: the process ends anyway.
func drain(ctx context.Context, steps ...step) error {
	last, cancelLast := context.WithTimeout(ctx, hangTime)
	defer cancelLast()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var errs []error
	for _, s := range steps {
		ended := make(chan error, 1)
		go func() { ended <- s.end(ctx) }()
		select {
		case err := <-ended:
			if err != nil {
				errs = append(errs, fmt.Errorf("end the %s: %w", s.what, err))
			}
		case <-last.Done():
			return errors.Join(append(errs, fmt.Errorf("the %s did not end in time", s.what))...)
		}
	}
	return errors.Join(errs...)
}
