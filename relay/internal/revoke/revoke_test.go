package revoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// relay is everything that a follower works with. It writes down what is done.
type relay struct {
	mu      sync.Mutex
	log     []store.Revocation
	broken  error
	reads   int
	done    []string
	running []session
}

type session struct {
	app   bus.Sender
	robot wire.DeviceID
}

func (r *relay) Revocations(_ context.Context, after int64) ([]store.Revocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	news := r.log[after:]
	return slices.Clone(news[:min(len(news), store.MaxRevocations)]), r.broken
}

func (r *relay) End(_ context.Context, lost func(bus.Sender, wire.DeviceID) bool) (robots []wire.DeviceID) {
	for _, s := range r.running {
		if lost(s.app, s.robot) {
			robots = append(robots, s.robot)
		}
	}
	r.did("end %v", robots)
	return robots
}

func (r *relay) EndLogin(_ context.Context, user store.UserID, token store.TokenID) {
	r.did("log %s out of %q", user, token)
}

func (r *relay) OwnerChanged(_ context.Context, id wire.DeviceID) { r.did("look %s up", id) }

func (r *relay) Revoke(user string, device wire.DeviceID) { r.did("revoke %s %q", user, device) }

func (r *relay) did(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = append(r.done, fmt.Sprintf(format, args...))
}

// revoke writes into the log.
func (r *relay) revoke(some ...store.Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range some {
		one.Seq = int64(len(r.log) + 1)
		r.log = append(r.log, one)
	}
}

// breaks lets the store fail, or mends it.
func (r *relay) breaks(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken, r.reads = err, 0
}

func (r *relay) readSinceThen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads
}

// follow runs a follower of a relay in a bubble of its own time.
func follow(t *testing.T, after int64, r *relay, test func(*Follower)) {
	synctest.Test(t, func(t *testing.T) {
		f := New(after, Config{Log: r, Sessions: r, Sockets: r, Credentials: r, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.Run(ctx)
		}()
		test(f)
		cancel()
		<-ended
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the time of the bubble: nobody waits
	synctest.Wait()
}

// expect checks what has been done since the last time.
func (r *relay) expect(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.done, want) {
		t.Errorf("done:\n\t%s\nwant:\n\t%s", strings.Join(r.done, "\n\t"), strings.Join(want, "\n\t"))
	}
	r.done = nil
}

// TestWhatEnds: sessions before sockets, and nothing of anybody else.
func TestWhatEnds(t *testing.T) {
	running := []session{
		{bus.Sender{User: "ann", Token: "1"}, "robot"},
		{bus.Sender{User: "ann", Token: "2"}, "robot"},
		{bus.Sender{User: "ann", Token: "1"}, "robot-2"},
		{bus.Sender{User: "bob", Token: "1"}, "robot-3"},
	}
	for name, tt := range map[string]struct {
		revoked store.Revocation
		want    []string
	}{
		"a token": {
			store.Revocation{User: "ann", Token: "1"},
			[]string{"end [robot robot-2]", `revoke ann "robot"`, `revoke ann "robot-2"`, `log ann out of "1"`},
		},
		"a token without sessions": {
			store.Revocation{User: "bob", Token: "2"}, []string{"end []", `log bob out of "2"`},
		},
		"a login": {
			store.Revocation{User: "ann"}, []string{"end [robot robot robot-2]", `revoke ann ""`, `log ann out of ""`},
		},
		"a robot": {
			store.Revocation{User: "ann", Device: "robot"}, []string{"end [robot robot]", `revoke ann "robot"`, "look robot up"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &relay{running: running}
			follow(t, 0, r, func(*Follower) {
				r.revoke(tt.revoked)
				pass(lookEvery)
				r.expect(t, tt.want...)
				pass(time.Minute) // once is enough
				r.expect(t)
			})
		})
	}
}

// TestPoke: what happens in this process is not waited for.
func TestPoke(t *testing.T) {
	r := &relay{}
	r.revoke(store.Revocation{User: "eve"}) // before the relay was made
	follow(t, 1, r, func(f *Follower) {
		pass(lookEvery / 2)
		r.revoke(store.Revocation{User: "ann"})
		for range 3 {
			f.Poke()
		}
		pass(0)
		r.expect(t, "end []", `revoke ann ""`, `log ann out of ""`)
	})
}

// TestBrokenStore is asked less and less often, and loses nothing.
func TestBrokenStore(t *testing.T) {
	r := &relay{}
	follow(t, 0, r, func(*Follower) {
		pass(lookEvery)
		r.breaks(errors.New("disk on fire"))
		r.revoke(store.Revocation{User: "ann"})
		pass(10 * time.Minute)
		if n := r.readSinceThen(); n < 20 || n > 30 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		r.expect(t)
		r.breaks(nil)
		pass(lookAtLeast)
		r.expect(t, "end []", `revoke ann ""`, `log ann out of ""`)
		r.breaks(nil)
		pass(time.Minute)
		if n := r.readSinceThen(); n != 60 {
			t.Errorf("asked %d times in a minute when it has been mended", n)
		}
	})
}

// TestManyAtOnce: more than one call returns are carried out in their order.
func TestManyAtOnce(t *testing.T) {
	const many = 2*store.MaxRevocations + 1
	r := &relay{}
	follow(t, 0, r, func(f *Follower) {
		var want []string
		for i := range many {
			device := wire.DeviceID(fmt.Sprintf("robot-%d", i))
			r.revoke(store.Revocation{User: "ann", Device: device})
			want = append(want, "end []", fmt.Sprintf("revoke ann %q", device), "look "+string(device)+" up")
		}
		f.Poke()
		pass(0)
		r.expect(t, want...)
	})
}
