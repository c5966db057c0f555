package turn_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
)

// budget is how long a caller waits unless the pool is told otherwise.
const budget = 500 * time.Millisecond

func (t *poolTest) setLate(d time.Duration) {
	t.api.SetFault(fakecloudflare.Fault{DelayMS: int(d.Milliseconds()), Endpoint: fakecloudflare.EndpointGenerate})
}

// tooLate acquires, and expects that the budget is used up.
func (t *poolTest) tooLate() {
	t.Helper()
	started := time.Now()
	_, err := t.pool.Acquire(t.Context(), viewer)
	checkKind(t.T, err, turn.KindTimeout)
	if err == nil || err.Error() != "TURN provider timed out" || time.Since(started) != budget {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

func TestCallersWaitForTheirBudgetOnly(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		t.api.SetFault(fakecloudflare.Fault{Hang: true})
		t.tooLate()
		t.tooLate()
		if n := t.api.Requests(); n != 1 {
			t.Errorf("%d requests, want one for both", n)
		}
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		t.expect("after the mint", 0, 0)
	})
}

// What comes too late for one request serves the next, or is given back.
func TestLateCredentialsAreKept(t *testing.T) {
	testPool(t, time.Minute, func(t *poolTest) {
		t.setLate(4 * time.Second)
		t.tooLate()
		time.Sleep(4 * time.Second) //nolint:forbidigo // a fake clock
		t.expect("nobody has taken it", 1, 1)
		t.acquire(viewer).Release()
		t.expect("taken", 1, 1)
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		t.expect("given back", 1, 0)
		t.tooLate()
		time.Sleep(65 * time.Second) //nolint:forbidigo // a fake clock
		t.expect("given back untaken", 2, 0)
	})
}

// While the provider is late, older credentials serve as they do when it fails.
func TestOlderCredentialsStandInForLateOnes(t *testing.T) {
	testPool(t, time.Hour, func(t *poolTest) {
		first := t.acquire(viewer)
		time.Sleep(40 * time.Minute) //nolint:forbidigo // a fake clock
		t.setLate(2 * time.Second)
		started := time.Now()
		second := t.acquire(viewer)
		if name(second) != name(first) || time.Since(started) != budget {
			t.Errorf("other credentials, or after %v", time.Since(started))
		}
		first.Release()
		second.Release()
		time.Sleep(2 * time.Second) //nolint:forbidigo // a fake clock
		third := t.acquire(viewer)
		if name(third) == name(first) {
			t.Error("the late credentials are not used")
		}
		third.Release()
		time.Sleep(10 * time.Minute) //nolint:forbidigo // a fake clock
		t.setLate(2 * time.Second)
		t.expect("both linger", 2, 2)
	})
}

// Older credentials that stand in are in use like any others.
func TestStandInIsLeased(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		first := t.acquire(viewer)
		time.Sleep(40 * time.Minute) //nolint:forbidigo // a fake clock
		t.setLate(time.Second)
		second := t.acquire(viewer)
		first.Release()
		time.Sleep(time.Second) //nolint:forbidigo // a fake clock
		t.expect("the late ones were wanted by nobody", 2, 1)
		if !t.api.Authorised(name(second)) {
			t.Error("revoked while in use")
		}
		second.Release()
		t.expect("the end", 2, 0)
	})
}

// A provider that hangs costs one user one time-out; everybody else is served
// without it at once, or with older credentials.
func TestHangingProviderCostsOneTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, api := fake(t)
		pool := must(turn.NewPool(t.Context(), turn.PoolConfig{
			Provider: turn.NewBreaker(provider, nil), IdentifierKey: []byte("pepper"), Linger: time.Hour,
		}))(t)
		regular := turn.Key{User: "regular"}
		must(pool.Acquire(t.Context(), regular))(t).Release()
		time.Sleep(40 * time.Minute) //nolint:forbidigo // a fake clock
		api.SetFault(fakecloudflare.Fault{Hang: true})
		for i := range 20 {
			started, want := time.Now(), turn.KindResting
			if i == 0 {
				want = turn.KindTimeout
			}
			_, err := pool.Acquire(t.Context(), turn.Key{User: fmt.Sprint(i)})
			checkKind(t, err, want)
			synctest.Wait() // the breaker's time-out is of the same moment
			if took := time.Since(started); took > 0 && i > 0 {
				t.Errorf("user %d waited %v", i, took)
			}
		}
		started := time.Now()
		must(pool.Acquire(t.Context(), regular))(t).Release()
		if took := time.Since(started); took > 0 {
			t.Errorf("older credentials came after %v", took)
		}
		api.ClearFault()
		time.Sleep(2 * time.Second) //nolint:forbidigo // a fake clock
		must(pool.Acquire(t.Context(), viewer))(t).Release()
		if err := pool.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
