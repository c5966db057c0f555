package turn_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
)

var viewer = turn.Key{User: "ann@example.org", Device: "wimz_1"}

// poolTest is a pool before the real client before a fake API, on a fake clock.
type poolTest struct {
	*testing.T
	pool *turn.Pool
	api  *fakecloudflare.Server
	log  *bytes.Buffer
}

func testPool(t *testing.T, linger time.Duration, run func(*poolTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		provider, api := fake(t)
		log := new(bytes.Buffer)
		pool, err := turn.NewPool(t.Context(), turn.PoolConfig{
			Provider: provider, IdentifierKey: []byte("pepper"), Linger: linger,
			Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		pt := &poolTest{T: t, pool: pool, api: api, log: log}
		run(pt)
		pt.close()
		if strings.Contains(log.String(), apiToken) || strings.Contains(log.String(), viewer.User) {
			t.Errorf("the log tells too much: %s", log)
		}
	})
}

func (t *poolTest) close() {
	t.Helper()
	if err := t.pool.Close(within(t.T, time.Minute)); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func (t *poolTest) acquire(key turn.Key) *turn.Lease {
	t.Helper()
	lease, err := t.pool.Acquire(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// expect checks the ledger once all is quiet.
func (t *poolTest) expect(when string, issued, live int) {
	t.Helper()
	synctest.Wait()
	if i, l := len(t.api.Issued()), len(t.api.Live(time.Now())); i != issued || l != live {
		t.Errorf("%s: %d issued, %d live; want %d and %d", when, i, l, issued, live)
	}
}

// expectHeld is [poolTest.expect] where none expires and revoking never fails.
func (t *poolTest) expectHeld(when string, issued, live int) {
	t.Helper()
	t.expect(when, issued, live)
	if held := t.pool.Held(); held != live {
		t.Errorf("%s: holds %d, want %d", when, held, live)
	}
}

func name(lease *turn.Lease) string { return lease.Credentials().Usernames()[0] }

func TestSessionsShareYoungCredentials(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		first := t.acquire(viewer)
		time.Sleep(29 * time.Minute) //nolint:forbidigo // a fake clock
		second := t.acquire(viewer)
		if name(first) != name(second) {
			t.Error("young credentials are not shared")
		}
		other := t.acquire(turn.Key{User: "bob", Device: viewer.Device})
		if name(other) == name(first) {
			t.Error("users share credentials")
		}
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		third := t.acquire(viewer)
		if name(third) == name(first) {
			t.Error("credentials past half of their life are handed out")
		}
		t.expectHeld("all in use", 3, 3)
		first.Release()
		first.Release()
		t.expectHeld("the second still uses it", 3, 3)
		second.Release()
		t.expectHeld("nobody does", 3, 2)
		other.Release()
		third.Release()
		t.expectHeld("the end", 3, 0)
	})
}

func TestCallersShareOneMint(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		t.api.SetFault(fakecloudflare.Fault{DelayMS: 400, Endpoint: fakecloudflare.EndpointGenerate})
		var all sync.WaitGroup
		leases := make(chan *turn.Lease, 10)
		for range cap(leases) {
			all.Go(func() {
				if lease, err := t.pool.Acquire(t.Context(), viewer); err == nil {
					leases <- lease
				}
			})
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the viewer left")
		time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
		started := time.Now()
		if _, err := t.pool.Acquire(ctx, viewer); !errors.Is(err, cause) || time.Since(started) != 200*time.Millisecond {
			t.Errorf("%v after %v, want the cause when it came", err, time.Since(started))
		}
		all.Wait()
		if len(leases) != cap(leases) || t.api.Requests() != 1 {
			t.Fatalf("%d leases of %d, %d requests", len(leases), cap(leases), t.api.Requests())
		}
		for range cap(leases) {
			t.expect("somebody uses it", 1, 1)
			(<-leases).Release()
		}
		t.expect("nobody does", 1, 0)
	})
}

func TestCredentialsEverybodyLeftAreRevoked(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		t.api.SetFault(fakecloudflare.Fault{DelayMS: 1000, Endpoint: fakecloudflare.EndpointGenerate})
		if _, err := t.pool.Acquire(within(t.T, 200*time.Millisecond), viewer); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		time.Sleep(3 * time.Second) //nolint:forbidigo // a fake clock
		t.expect("after the mint", 1, 0)
	})
}

func TestLinger(t *testing.T) {
	testPool(t, time.Minute, func(t *poolTest) {
		first := t.acquire(viewer)
		first.Release()
		time.Sleep(59 * time.Second) //nolint:forbidigo // a fake clock
		second := t.acquire(viewer)
		time.Sleep(5 * time.Minute) //nolint:forbidigo // a fake clock
		t.expectHeld("leased again", 1, 1)
		second.Release()
		time.Sleep(59 * time.Second) //nolint:forbidigo // a fake clock
		t.expectHeld("lingering", 1, 1)
		time.Sleep(time.Second) //nolint:forbidigo // a fake clock
		t.expectHeld("after the linger", 1, 0)
		t.acquire(viewer).Release()
		t.expectHeld("a new one lingers", 2, 1)
		t.close()
		t.expectHeld("closing ends the linger", 2, 0)
	})
}

func TestOlderCredentialsStandIn(t *testing.T) {
	testPool(t, time.Hour, func(t *poolTest) {
		first := t.acquire(viewer)
		first.Release()
		t.api.SetFault(fakecloudflare.Fault{Status: 503, Endpoint: fakecloudflare.EndpointGenerate})
		time.Sleep(58 * time.Minute) //nolint:forbidigo // a fake clock
		second := t.acquire(viewer)
		if name(second) != name(first) {
			t.Error("other credentials")
		}
		second.Release()
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		_, err := t.pool.Acquire(t.Context(), viewer)
		checkKind(t.T, err, turn.KindUpstream)
		t.api.ClearFault()
		third := t.acquire(viewer)
		if name(third) == name(first) {
			t.Error("old credentials after the provider has come back")
		}
		third.Release()
		requests := t.api.Requests()
		t.close()
		if revoked := t.api.Requests() - requests; revoked != 2 {
			t.Errorf("%d revocations, want one for each that still lives", revoked)
		}
	})
}

func TestRevocationIsRepeated(t *testing.T) {
	tests := map[string]struct {
		fault    fakecloudflare.Fault
		requests int
		live     int
	}{
		"until it succeeds":   {fakecloudflare.Fault{Status: 503, Times: 3}, 4, 0},
		"four times":          {fakecloudflare.Fault{Status: 503}, 4, 1},
		"after a rate limit":  {fakecloudflare.Fault{Status: 429, Times: 1}, 2, 0},
		"not where forbidden": {fakecloudflare.Fault{Status: 403}, 1, 1},
		"not where unknown":   {fakecloudflare.Fault{Status: 404}, 1, 1},
		"for half a minute":   {fakecloudflare.Fault{DelayMS: 3_000_000}, 4, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			testPool(t, 0, func(t *poolTest) {
				lease := t.acquire(viewer)
				before := t.api.Requests()
				tt.fault.Endpoint = fakecloudflare.EndpointRevoke
				t.api.SetFault(tt.fault)
				lease.Release()
				time.Sleep(50 * time.Second) //nolint:forbidigo // a fake clock
				t.expect("in the end", 1, tt.live)
				if n := t.api.Requests() - before; n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
			})
		})
	}
}

func TestExpiredCredentialsAreForgotten(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		lease := t.acquire(viewer)
		time.Sleep(time.Hour) //nolint:forbidigo // a fake clock
		lease.Release()
		synctest.Wait()
		if t.api.Requests() != 1 || t.log.Len() > 0 {
			t.Errorf("revoked what had expired: %s", t.log)
		}
	})
}

func TestCloseLeavesLeasedCredentials(t *testing.T) {
	testPool(t, time.Minute, func(t *poolTest) {
		used := t.acquire(viewer)
		t.acquire(turn.Key{User: "bob"}).Release()
		t.close()
		t.expectHeld("closed", 2, 1)
		if !t.api.Authorised(name(used)) {
			t.Error("a session's credentials are revoked under it")
		}
		used.Release()
		t.expectHeld("released too late", 2, 1)
		if t.log.Len() > 0 {
			t.Errorf("something was tried after Close: %s", t.log)
		}
		if _, err := t.pool.Acquire(t.Context(), viewer); !errors.Is(err, turn.ErrPoolClosed) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestCloseBreaksOffWhatHangs(t *testing.T) {
	testPool(t, time.Minute, func(t *poolTest) {
		t.acquire(viewer).Release()
		t.api.SetFault(fakecloudflare.Fault{Hang: true})
		left := make(chan error, 1)
		go func() {
			_, err := t.pool.Acquire(t.Context(), turn.Key{User: "bob"})
			left <- err
		}()
		synctest.Wait()
		started := time.Now()
		if err := t.pool.Close(within(t.T, time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		if time.Since(started) != time.Second {
			t.Errorf("Close took %v", time.Since(started))
		}
		if err := <-left; !errors.Is(err, turn.ErrPoolClosed) {
			t.Errorf("Acquire: %v", err)
		}
	})
}

func TestMintIsNotShared(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		key := turn.Key{User: viewer.User}
		for range 2 {
			credentials, err := t.pool.Mint(t.Context(), key, 2*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(credentials.ExpiresAt); left != 2*time.Hour {
				t.Errorf("lives for %v", left)
			}
		}
		t.acquire(key).Release()
		t.expect("two minted, one revoked", 3, 2)
		_, err := t.pool.Mint(t.Context(), key, 72*time.Hour)
		checkKind(t.T, err, turn.KindStatus)
	})
}

func TestIdentifiersArePseudonyms(t *testing.T) {
	testPool(t, 0, func(t *poolTest) {
		keys := []turn.Key{viewer, {User: "ann@example.org", Device: "wimz_2"}, {User: "bob", Device: "wimz_1"}, viewer}
		for _, key := range keys {
			if _, err := t.pool.Mint(t.Context(), key, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		ids := make(map[string]int)
		for _, credential := range t.api.Issued() {
			id := credential.CustomIdentifier
			if ids[id]++; len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
				t.Errorf("identifier %q", id)
			}
		}
		if len(ids) != 3 {
			t.Errorf("%d identifiers, want one for each key: %v", len(ids), ids)
		}
	})
}

// Without TURN a session gets an empty list, and nothing is minted or revoked.
func TestPoolOfNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, err := turn.NewPool(t.Context(), turn.PoolConfig{IdentifierKey: []byte("pepper")})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			lease, err := pool.Acquire(t.Context(), viewer)
			if err != nil {
				t.Fatal(err)
			}
			if c := lease.Credentials(); c.ICEServers.HasTURN() || !c.ExpiresAt.IsZero() {
				t.Errorf("credentials %v", c)
			}
			time.Sleep(time.Hour) //nolint:forbidigo // a fake clock
			lease.Release()
		}
		if err := pool.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
