package turn_test

import (
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// TestPoolRevoke: what a user has lost the right to does not linger, what a
// session still uses goes with it, and nobody is given it again.
func TestPoolRevoke(t *testing.T) {
	for what, tt := range map[string]struct {
		device wire.DeviceID
		atOnce int // live then
		after  int // live when the session has ended and there is another
		minted int // of those, not the pool's own
	}{
		"one robot":  {viewer.Device, 4, 4, 1},
		"everything": {"", 2, 2, 0},
	} {
		t.Run(what, func(t *testing.T) {
			testPool(t, time.Hour, func(t *poolTest) {
				used := t.acquire(viewer)
				time.Sleep(40 * time.Minute)                                  //nolint:forbidigo // a fake clock
				t.acquire(viewer).Release()                                   // newer, lingers
				t.acquire(turn.Key{User: viewer.User, Device: "2"}).Release() // lingers
				neighbour := t.acquire(turn.Key{User: "bob", Device: viewer.Device})
				if _, err := t.pool.Mint(t.Context(), turn.Key{User: viewer.User}, time.Hour); err != nil {
					t.Fatal(err)
				}
				t.expect("before", 5, 5)
				t.pool.Revoke(viewer.User, tt.device)
				t.pool.Revoke(viewer.User, tt.device) // does no harm
				t.expect("at once", 5, tt.atOnce)

				again := t.acquire(viewer)
				if name(again) == name(used) {
					t.Error("revoked credentials are handed out")
				}
				used.Release()
				t.expect("with its last user", 6, tt.after)
				again.Release()
				t.expect("the new one lingers", 6, tt.after)
				if held := t.pool.Held(); held != tt.after-tt.minted {
					t.Errorf("holds %d of %d", held, tt.after)
				}
				if !t.api.Authorised(name(again)) || !t.api.Authorised(name(neighbour)) {
					t.Error("what others have is revoked, too")
				}
				neighbour.Release()
			})
		})
	}
}

// TestRevokedInUse: what a session uses still is not given to another.
func TestRevokedInUse(t *testing.T) {
	testPool(t, time.Hour, func(t *poolTest) {
		used := t.acquire(viewer)
		t.pool.Revoke(viewer.User, viewer.Device)
		next := t.acquire(viewer)
		if name(next) == name(used) {
			t.Error("revoked credentials are handed out")
		}
		t.expect("both in use", 2, 2)
		used.Release()
		next.Release()
		t.expect("one lingers", 2, 1)
	})
}

// TestRevokeWhileMinting: what is on its way when the right ends goes to those
// who have waited for it and to nobody else, and then is gone; older credentials
// stand in for nothing.
func TestRevokeWhileMinting(t *testing.T) {
	testPool(t, time.Hour, func(t *poolTest) {
		old := t.acquire(viewer)
		time.Sleep(40 * time.Minute) //nolint:forbidigo // a fake clock
		t.api.SetFault(fakecloudflare.Fault{DelayMS: 400, Endpoint: fakecloudflare.EndpointGenerate})
		waiting := make(chan *turn.Lease, 1)
		go func() {
			lease, _ := t.pool.Acquire(t.Context(), viewer)
			waiting <- lease
		}()
		synctest.Wait()
		t.pool.Revoke(viewer.User, "")
		next := t.acquire(viewer) // has its own mint
		first := <-waiting
		if first == nil || name(first) == name(next) || name(first) == name(old) {
			t.Fatal("one mint for those before and those after")
		}
		old.Release()
		first.Release()
		t.expect("before is gone", 3, 1)

		time.Sleep(40 * time.Minute) //nolint:forbidigo // a fake clock
		t.api.SetFault(fakecloudflare.Fault{Hang: true, Endpoint: fakecloudflare.EndpointGenerate})
		go func() {
			lease, _ := t.pool.Acquire(t.Context(), viewer)
			waiting <- lease
		}()
		synctest.Wait()
		t.pool.Revoke(viewer.User, "")
		if lease := <-waiting; lease != nil {
			t.Error("revoked credentials stand in")
		}
		next.Release()
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		t.expect("the end", 3, 0)
	})
}
