package robot

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Alive returns nil if the robot can still do its work: its main loop turns, its
// locks are free and every session's goroutine does what it is asked. It returns an
// error when ctx ends before they have answered; what hangs then is left behind.
func (r *Robot) Alive(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- r.answers(ctx) }() // beside, for a lock knows no context
	const lockTime = 100 * time.Millisecond  // for all but a lock has ended with ctx
	deadline := make(chan time.Time)
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lockTime, func() { close(deadline) }) })()
	select {
	case err := <-answer:
		return err
	case <-deadline:
		return fmt.Errorf("a lock of the robot is not given back: %w", context.Cause(ctx))
	}
}

func (r *Robot) answers(ctx context.Context) error {
	turned := make(chan struct{})
	select {
	case r.pulse <- turned:
	case <-ctx.Done():
		return fmt.Errorf("the main loop hangs: %w", context.Cause(ctx))
	}
	<-turned
	r.stream.Encoders() // takes the stream's lock
	r.mu.Lock()
	sessions := slices.Collect(maps.Values(r.sessions))
	r.mu.Unlock()
	for _, s := range sessions {
		if err := s.peer.Alive(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Summary is what the robot does, in a few words.
func (r *Robot) Summary() string {
	s := r.Stats()
	return fmt.Sprintf("relay %s, %d of %d viewers", s.Relay, len(s.Sessions), r.cfg.WebRTC.MaxConnections)
}
