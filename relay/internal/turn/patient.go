package turn

import (
	"context"
	"errors"
	"time"
)

// A failed revocation is tried again after revokePause, then after twice that,
// and so on, until there have been revokeAttempts.
const (
	revokeAttempts = 4
	revokePause    = time.Second
)

// patient is a provider that repeats a revocation while that makes sense.
type patient struct{ Provider }

// Revoke implements [Provider]. It returns the error of the last attempt.
func (p patient) Revoke(ctx context.Context, username string) error {
	pause := revokePause
	for attempt := 1; ; attempt++ {
		err := p.Provider.Revoke(ctx, username)
		var e *Error
		lasting := errors.As(err, &e) && !e.Temporary()
		if err == nil || lasting || attempt == revokeAttempts || !wait(ctx, pause) {
			return err
		}
		pause *= 2
	}
}
