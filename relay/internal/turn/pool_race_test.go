package turn_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// Whoever gets a credential in the very moment it would be revoked keeps it.
func TestLeasedAgainAtTheLastMoment(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		lease := t.acquire(viewer)
		for range 200 {
			lease.Release()
			lease = t.acquire(viewer)
			synctest.Wait()
			if !t.api.Authorised(name(lease)) {
				t.Fatal("leased and revoked")
			}
		}
		lease.Release()
	})
}

// slowProvider mints for exactly as long as it is told, and counts what is not
// revoked.
type slowProvider struct {
	takes time.Duration
	live  atomic.Int64
}

func (p *slowProvider) Mint(context.Context, time.Duration, string) (turn.Credentials, error) {
	time.Sleep(p.takes) //nolint:forbidigo // a fake clock
	p.live.Add(1)
	return turn.Credentials{
		ICEServers: wire.ICEServers{Servers: []wire.ICEServer{{URLs: wire.URLs{"turn:a"}, Username: "u", Credential: "c"}}},
		ExpiresAt:  time.Now().Add(time.Hour),
	}, nil
}

func (p *slowProvider) Revoke(context.Context, string) error {
	p.live.Add(-1)
	return nil
}

// A caller may give up in the very moment its credentials come: because it
// leaves, or because it has waited long enough.
func TestLeftAtTheLastMoment(t *testing.T) {
	for name, tt := range map[string]struct{ mint, stay time.Duration }{
		"the caller leaves":      {mint: budget / 2, stay: budget / 2},
		"the budget is used up":  {mint: budget, stay: time.Minute},
		"both in the one moment": {mint: budget, stay: budget},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { leaveAtTheLastMoment(t, tt.mint, tt.stay) })
		})
	}
}

func leaveAtTheLastMoment(t *testing.T, mint, stay time.Duration) {
	provider := &slowProvider{takes: mint}
	pool, err := turn.NewPool(t.Context(), turn.PoolConfig{Provider: provider, IdentifierKey: []byte("pepper")})
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), stay)
		if lease, err := pool.Acquire(ctx, viewer); err != nil {
			left++
		} else {
			lease.Release()
		}
		cancel()
		time.Sleep(time.Second) //nolint:forbidigo // a fake clock
		if n := provider.live.Load(); n != 0 {
			t.Fatalf("%d credentials nobody uses, %d callers had left", n, left)
		}
	}
	if err := pool.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Many users come and go while the provider is flaky: in the end nothing that
// was handed out is live.
func TestPoolUnderLoad(t *testing.T) {
	testPool(t, time.Second, func(t *poolTest) {
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				key := turn.Key{User: fmt.Sprint(i % 5)}
				for round := range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*100*time.Millisecond)
					lease, err := t.pool.Acquire(ctx, key)
					cancel()
					if err != nil {
						continue
					}
					time.Sleep(time.Duration(round*i) * time.Second) //nolint:forbidigo // a fake clock
					lease.Release()
				}
			})
		}
		all.Go(func() {
			for range 30 {
				t.api.SetFault(fakecloudflare.Fault{Status: http.StatusServiceUnavailable, DelayMS: 100, Times: 1})
				time.Sleep(20 * time.Second) //nolint:forbidigo // a fake clock
			}
		})
		all.Wait()
		t.api.ClearFault()
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		synctest.Wait()
		if live := len(t.api.Live(time.Now())); live != 0 {
			t.Errorf("%d of %d credentials are left", live, len(t.api.Issued()))
		}
	})
}
