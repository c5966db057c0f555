package sqlstore_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

// TestLeaver has a robot hang up that was the first to wait for a write: those who
// wait with it are written all the same.
func TestLeaver(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		db := open(t, url)
		d := store.Device{ID: "wimz_1", Secret: "s", CreatedAt: time.Unix(1_700_000_000, 0)}
		check(t, db.CreateDevice(t.Context(), d), nil)
		waiting, release := db.HoldSignatures()
		leaving, leave := context.WithCancel(t.Context())
		var signing sync.WaitGroup
		for i, ctx := range []context.Context{leaving, t.Context(), t.Context()} {
			signing.Go(func() {
				if err := db.AcceptSignature(ctx, d.ID, d.CreatedAt.Add(time.Minute)); err != nil {
					t.Error(err)
				}
			})
			for waiting() <= i {
				runtime.Gosched()
			}
		}
		leave()
		release()
		signing.Wait()
		got, err := db.Device(t.Context(), d.ID)
		check(t, err, nil)
		if !got.SignedAt.Equal(d.CreatedAt.Add(time.Minute)) {
			t.Errorf("signed at %v", got.SignedAt)
		}
	})
}

// BenchmarkAcceptSignature tells what a robot's coming costs when it comes alone and
// when many come at once.
func BenchmarkAcceptSignature(b *testing.B) {
	for name, robots := range map[string]int{"alone": 1, "among 200": 200} {
		b.Run(name, func(b *testing.B) {
			db := open(b, file(b))
			d := store.Device{ID: "wimz_1", Secret: "s", CreatedAt: time.Now()}
			check(b, db.CreateDevice(b.Context(), d), nil)
			var coming sync.WaitGroup
			for range robots {
				coming.Go(func() {
					for range b.N / robots {
						if err := db.AcceptSignature(b.Context(), d.ID, d.CreatedAt); err != nil {
							b.Error(err)
						}
					}
				})
			}
			coming.Wait()
		})
	}
}
