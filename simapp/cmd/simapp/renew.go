package main

import (
	"context"
	"time"
)

// renewEvery is how long to wait after a login could not be refreshed.
const renewEvery = time.Minute

// renewable is what renew needs of a phone.
type renewable interface {
	Renew(token string) error
	Done() <-chan struct{}
}

// renew gives a phone the fresh tokens of the kept login, until the phone or ctx
// ends. If there is none in time the relay ends the phone.
func (c *account) renew(ctx context.Context, a *app, phone renewable) {
	for {
		k, err := readKept()
		left, whole, known := k.life(time.Now())
		if err != nil || !known {
			return
		}
		wait := time.NewTimer(max(left-whole/4, renewEvery))
		select {
		case <-wait.C:
		case <-phone.Done():
			wait.Stop()
			return
		case <-ctx.Done():
			wait.Stop()
			return
		}
		token, err := c.keptLogin(ctx, a)
		if err == nil {
			err = phone.Renew(token)
		}
		if err != nil {
			a.log.DebugContext(ctx, "the login was not renewed", "error", err)
		}
	}
}
