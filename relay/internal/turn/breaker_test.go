package turn_test

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/turn"
)

// scripted is a provider that does what it is told.
type scripted struct {
	turn.None
	takes time.Duration
	err   error
	calls int
}

func (s *scripted) Mint(ctx context.Context, _ time.Duration, _ string) (turn.Credentials, error) {
	s.calls++
	takes, err := s.takes, s.err
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return turn.Credentials{}, err
	case <-ctx.Done():
		return turn.Credentials{}, ctx.Err()
	}
}

type breakerTest struct {
	*testing.T
	breaker  *turn.Breaker
	provider *scripted
	log      *bytes.Buffer
}

func testBreaker(t *testing.T, run func(*breakerTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		provider, log := new(scripted), new(bytes.Buffer)
		run(&breakerTest{t, turn.NewBreaker(provider, slog.New(slog.NewTextHandler(log, nil))), provider, log})
	})
}

// mint asks once, and checks how that ends and whether the provider was asked.
func (t *breakerTest) mint(want turn.Kind, asked bool) {
	t.Helper()
	before := t.provider.calls
	_, err := t.breaker.Mint(t.Context(), time.Hour, "")
	checkKind(t.T, err, want)
	if (t.provider.calls > before) != asked {
		t.Errorf("asked: %t, want %t", !asked, asked)
	}
}

func (t *breakerTest) is(want turn.BreakerState, opened int) {
	t.Helper()
	if state, n := t.breaker.Status(); state != want || n != opened {
		t.Errorf("%s, opened %d times, want %s, %d", state, n, want, opened)
	}
}

func (t *breakerTest) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // a fake clock
	synctest.Wait()
}

func TestBreakerOpens(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		after int // calls; 0 for never
	}{
		"network failures":         {&turn.Error{Kind: turn.KindNetwork}, 3},
		"upstream failures":        {&turn.Error{Kind: turn.KindUpstream, Status: 503}, 3},
		"malformed answers":        {&turn.Error{Kind: turn.KindMalformed}, 3},
		"a time-out":               {&turn.Error{Kind: turn.KindTimeout}, 1},
		"an unknown token":         {&turn.Error{Kind: turn.KindStatus, Status: 401}, 1},
		"an unknown key":           {&turn.Error{Kind: turn.KindStatus, Status: 404}, 1},
		"too many requests":        {&turn.Error{Kind: turn.KindStatus, Status: 429}, 1},
		"a refused ttl":            {&turn.Error{Kind: turn.KindStatus, Status: 400}, 0},
		"an unprocessable ttl":     {&turn.Error{Kind: turn.KindStatus, Status: 422}, 0},
		"a call that was given up": {context.Canceled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			testBreaker(t, func(t *breakerTest) {
				t.provider.err = tt.err
				for range 10 {
					_, _ = t.breaker.Mint(t.Context(), time.Hour, "")
				}
				if want := cmp.Or(tt.after, 10); t.provider.calls != want {
					t.Errorf("asked %d times, want %d", t.provider.calls, want)
				}
				if opened := strings.Contains(t.log.String(), "is given a rest"); opened != (tt.after > 0) {
					t.Errorf("the log: %s", t.log)
				}
			})
		})
	}
}

// Failures count in a row only.
func TestBreakerForgetsFailures(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		for range 5 {
			t.provider.err = &turn.Error{Kind: turn.KindUpstream, Status: 500}
			t.mint(turn.KindUpstream, true)
			t.mint(turn.KindUpstream, true)
			t.provider.err = nil
			t.mint("", true)
		}
	})
}

// Each rest ends with one probe; the rests grow from a second to half a minute,
// none shorter than half of that, until the provider answers.
func TestBreakerProbes(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		t.provider.err = &turn.Error{Kind: turn.KindStatus, Status: 401}
		t.mint(turn.KindStatus, true)
		for _, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
			rest := time.Duration(seconds) * time.Second
			t.pass(rest/2 - time.Millisecond)
			t.mint(turn.KindResting, false)
			t.pass(rest/2 + time.Millisecond)
			t.mint(turn.KindStatus, true)
			t.mint(turn.KindResting, false)
		}
		t.provider.err = nil
		t.pass(30 * time.Second)
		t.mint("", true)
		t.mint("", true)
		t.provider.err = &turn.Error{Kind: turn.KindTimeout}
		t.mint(turn.KindTimeout, true)
		t.pass(time.Second)
		t.provider.err = nil
		t.mint("", true)
		if n := strings.Count(t.log.String(), "answers again"); n != 2 {
			t.Errorf("%d recoveries are told: %s", n, t.log)
		}
	})
}

// A provider that hangs costs nobody but the first caller a time-out, and after
// each rest one more.
func TestBreakerHanging(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		ctx := within(t.T, time.Hour)
		hang := func() {
			t.Helper()
			before := t.provider.calls
			go func() { _, _ = t.breaker.Mint(ctx, time.Hour, "") }()
			synctest.Wait()
			if t.provider.calls != before+1 {
				t.Error("the provider was not asked")
			}
		}
		t.provider.takes = 24 * time.Hour
		hang()
		t.pass(budget - time.Millisecond)
		hang() // nothing is known yet
		t.is(turn.BreakerClosed, 0)
		t.pass(time.Millisecond)
		t.is(turn.BreakerOpen, 1)
		for range 10 {
			t.mint(turn.KindResting, false)
		}
		t.pass(time.Second)
		t.is(turn.BreakerOpen, 1)
		hang() // the probe
		t.is(turn.BreakerHalfOpen, 1)
		for range 10 {
			t.mint(turn.KindResting, false)
		}
		t.pass(budget)
		t.provider.takes = 0
		t.mint(turn.KindResting, false)
		t.pass(2 * time.Second)
		t.is(turn.BreakerOpen, 2)
		t.mint("", true)
		t.is(turn.BreakerClosed, 2)
		t.pass(time.Hour) // what hung fails, and has been counted
		t.mint("", true)
		if n := strings.Count(t.log.String(), "is given a rest"); n != 2 {
			t.Errorf("%d rests: %s", n, t.log)
		}
	})
}

// A probe that fails in any way is followed by the next rest.
func TestBreakerProbeFails(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		t.provider.err = &turn.Error{Kind: turn.KindTimeout}
		t.mint(turn.KindTimeout, true)
		t.provider.err = &turn.Error{Kind: turn.KindUpstream, Status: 500}
		for range 3 {
			t.pass(30 * time.Second)
			t.mint(turn.KindUpstream, true)
			t.mint(turn.KindResting, false)
		}
	})
}

// An answer that comes late is an answer.
func TestBreakerLateAnswer(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		t.provider.takes = 600 * time.Millisecond
		done := make(chan error, 1)
		go func() {
			_, err := t.breaker.Mint(t.Context(), time.Hour, "")
			done <- err
		}()
		t.pass(budget)
		t.mint(turn.KindResting, false)
		if err := <-done; err != nil {
			t.Error(err)
		}
		t.provider.takes = 0
		t.mint("", true)
	})
}

// A probe whose caller leaves makes room for the next one.
func TestBreakerProbeGivenUp(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		t.provider.err = &turn.Error{Kind: turn.KindTimeout}
		t.mint(turn.KindTimeout, true)
		t.pass(time.Second)
		t.provider.takes, t.provider.err = time.Hour, nil
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := t.breaker.Mint(ctx, time.Hour, "")
		if err == nil {
			t.Error("no error")
		}
		t.provider.takes = 0
		t.mint("", true)
	})
}

// A provider that says how long it wants not to be asked is believed, within
// reason.
func TestBreakerRetryAfter(t *testing.T) {
	for after, rest := range map[time.Duration]time.Duration{
		5 * time.Second: 5 * time.Second, time.Hour: 30 * time.Second,
	} {
		testBreaker(t, func(t *breakerTest) {
			t.provider.err = &turn.Error{Kind: turn.KindStatus, Status: 429, RetryAfter: after}
			t.mint(turn.KindStatus, true)
			t.pass(rest - time.Millisecond)
			t.mint(turn.KindResting, false)
			t.pass(time.Millisecond)
			t.mint(turn.KindStatus, true)
		})
	}
}

// Revocations go through, and say nothing about the circuit.
func TestBreakerRevokes(t *testing.T) {
	testBreaker(t, func(t *breakerTest) {
		t.provider.err = &turn.Error{Kind: turn.KindTimeout}
		t.mint(turn.KindTimeout, true)
		if err := t.breaker.Revoke(t.Context(), "anybody"); err != nil {
			t.Error(err)
		}
		t.mint(turn.KindResting, false)
	})
}
