package peer

import (
	"context"
	"fmt"
)

// Alive returns nil when the session's goroutine has done what was asked of it up
// to now, or has ended; an error if ctx ends before.
func (p *Peer) Alive(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case p.inbox <- func() error { close(done); return nil }:
	case <-p.life.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("session %s takes nothing in: %w", p.cfg.SessionID, context.Cause(ctx))
	}
	select {
	case <-done:
		return nil
	case <-p.life.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("session %s does nothing: %w", p.cfg.SessionID, context.Cause(ctx))
	}
}
