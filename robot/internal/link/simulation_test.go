package link

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what can be said of some time of a trial.
type outcome struct {
	p95, longest time.Duration // from encoder to app
	frozen       time.Duration // without a picture, at most
	kbps         int           // of video, on the average
	changes      int           // of the tier
}

func (o outcome) String() string {
	return fmt.Sprintf("p95 %4d ms, longest %4d ms, frozen %4d ms, %4d kbit/s, %d changes",
		o.p95.Milliseconds(), o.longest.Milliseconds(), o.frozen.Milliseconds(), o.kbps, o.changes)
}

// spell lets time pass and says what it was like. What has not come in a second
// counts as one.
func (s *trial) spell(d time.Duration) (o outcome) {
	frames, sent, changes := len(s.frames), s.sent, s.changes
	s.run(d)
	var took []time.Duration
	last := time.Now().Add(-d)
	for _, f := range s.frames[frames:] {
		switch {
		case f.missing == 0:
			took = append(took, f.arrived.Sub(f.sent))
			o.frozen = max(o.frozen, f.arrived.Sub(last))
			last = f.arrived
		case time.Since(f.sent) > time.Second:
			took = append(took, time.Second)
		}
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		o.p95, o.longest = took[n*95/100], took[n-1]
	}
	o.kbps = (s.sent - sent) * 8 / int(d.Milliseconds())
	o.changes = s.changes - changes
	return o
}

// recovery is how long it takes until a megabit is sent.
func (s *trial) recovery() time.Duration {
	begin := time.Now()
	for s.decision.Kbps < 1000 && time.Since(begin) < time.Minute {
		s.run(100 * time.Millisecond)
	}
	return time.Since(begin)
}

// bounds is what an outcome must keep.
type bounds struct {
	p95, longest int // milliseconds; 0: any
	kbps         int // at least
	changes      int // at most
}

func (b bounds) check(t *testing.T, when string, o outcome) {
	t.Helper()
	t.Logf("%s: %v", when, o)
	over := func(d time.Duration, most int) bool { return most > 0 && d > time.Duration(most)*time.Millisecond }
	if over(o.p95, b.p95) || over(o.longest, b.longest) || o.kbps < b.kbps || o.changes > b.changes {
		t.Errorf("%s: %v; it must keep %+v", when, o, b)
	}
}

// TestLinks has a link of 5 Mbit/s become another one for a minute, and wide again.
// The first 20 seconds are with the jam that comes of it.
func TestLinks(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		way         bottleneck
		app         app
		first, then bounds
	}{
		"5000":                   {bottleneck{kbps: 5000}, app{}, bounds{100, 200, 1400, 0}, bounds{100, 200, 1400, 0}},
		"1000":                   {bottleneck{kbps: 1000}, app{}, bounds{300, 0, 700, 2}, bounds{250, 500, 700, 2}},
		"600":                    {bottleneck{kbps: 600}, app{}, bounds{300, 0, 400, 2}, bounds{250, 500, 430, 2}},
		"300":                    {bottleneck{kbps: 300}, app{}, bounds{250, 0, 200, 2}, bounds{250, 350, 220, 0}},
		"150":                    {bottleneck{kbps: 150}, app{}, bounds{0, 0, 80, 2}, bounds{500, 0, 90, 0}},
		"300 with loss":          {bottleneck{kbps: 300, loss: 0.05}, app{}, bounds{350, 0, 180, 2}, bounds{350, 0, 180, 0}},
		"5 % loss":               {bottleneck{kbps: 5000, loss: 0.05}, app{}, bounds{0, 0, 1350, 1}, bounds{0, 0, 1350, 1}},
		"20 % loss":              {bottleneck{kbps: 5000, loss: 0.20}, app{}, bounds{0, 0, 800, 2}, bounds{0, 0, 850, 0}},
		"30 % loss":              {bottleneck{kbps: 5000, loss: 0.30}, app{}, bounds{0, 0, 750, 2}, bounds{0, 0, 850, 0}},
		"20 % to a stutterer":    {bottleneck{kbps: 5000, loss: 0.20}, app{stutter: 120 * ms}, bounds{0, 0, 800, 2}, bounds{0, 0, 850, 0}},
		"600 with 20 % loss":     {bottleneck{kbps: 600, loss: 0.20}, app{}, bounds{0, 0, 150, 3}, bounds{0, 0, 300, 2}},
		"jitter":                 {bottleneck{kbps: 5000, jitter: 30 * ms}, app{}, bounds{150, 0, 1400, 0}, bounds{150, 0, 1400, 0}},
		"300 with jitter":        {bottleneck{kbps: 300, jitter: 30 * ms}, app{}, bounds{300, 0, 100, 2}, bounds{300, 400, 150, 0}},
		"a queue of 60 ms":       {bottleneck{kbps: 300, queue: 60 * ms}, app{}, bounds{0, 0, 180, 3}, bounds{700, 0, 180, 0}},
		"a policer of 300":       {bottleneck{kbps: 300, queue: 200 * ms, police: true}, app{}, bounds{0, 0, 180, 3}, bounds{0, 0, 180, 1}},
		"a policer of 1000":      {bottleneck{kbps: 1000, queue: 200 * ms, police: true}, app{}, bounds{0, 0, 500, 8}, bounds{0, 0, 500, 8}},
		"an app that stalls":     {bottleneck{kbps: 5000}, app{stall: 300 * ms}, bounds{0, 0, 1350, 0}, bounds{0, 0, 1350, 0}},
		"an app that stutters":   {bottleneck{kbps: 5000}, app{stutter: 120 * ms}, bounds{0, 0, 1350, 0}, bounds{0, 0, 1350, 0}},
		"300 to a stutterer":     {bottleneck{kbps: 300}, app{stutter: 120 * ms}, bounds{400, 0, 100, 2}, bounds{400, 0, 150, 0}},
		"600 to a stutterer":     {bottleneck{kbps: 600}, app{stutter: 120 * ms}, bounds{700, 0, 300, 4}, bounds{400, 0, 350, 2}},
		"feedback that is late":  {bottleneck{kbps: 5000}, app{late: 300 * ms}, bounds{0, 0, 1350, 0}, bounds{0, 0, 1350, 0}},
		"no feedback":            {bottleneck{kbps: 5000}, app{mute: true}, bounds{100, 0, 1350, 0}, bounds{100, 0, 1350, 0}},
		"600, no feedback":       {bottleneck{kbps: 600}, app{mute: true}, bounds{0, 0, 250, 4}, bounds{0, 0, 250, 2}},
		"300, no feedback":       {bottleneck{kbps: 300}, app{mute: true}, bounds{0, 0, 100, 4}, bounds{0, 0, 100, 2}},
		"no feedback, 20 % loss": {bottleneck{kbps: 5000, loss: 0.20}, app{mute: true}, bounds{0, 0, 700, 3}, bounds{0, 0, 850, 0}},
		"a limit of 500":         {bottleneck{kbps: 5000}, app{mute: true, limit: 500}, bounds{100, 0, 300, 1}, bounds{100, 0, 300, 0}},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newTrial(t, seed, bottleneck{kbps: 5000, queue: time.Second}, app{mute: c.app.mute})
					s.start()
					bounds{p95: 200, kbps: 1350}.check(t, "before", s.spell(10*time.Second))
					s.become(c.way, c.app)
					c.first.check(t, "first", s.spell(20*time.Second))
					c.then.check(t, "then ", s.spell(40*time.Second))
					s.become(bottleneck{kbps: 5000}, app{stutter: c.app.stutter})
					back := s.recovery()
					if t.Logf("back after %v", back); back > 16*time.Second || back > 12*time.Second && !c.app.mute && c.way.kbps >= 300 {
						t.Errorf("back after %v", back)
					}
				})
			})
		}
	}
}

// TestOutage has everything be lost for a while. What is silent is no queue, and
// pictures are tried again.
func TestOutage(t *testing.T) {
	for _, length := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		t.Run(length.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTrial(t, 1, bottleneck{kbps: 5000, queue: time.Second}, app{})
				s.start()
				s.spell(5 * time.Second)
				s.way.loss = 1
				s.spell(length)
				s.way.loss = 0
				begin := time.Now()
				for s.decision.Pause || s.frames[len(s.frames)-1].sent.Before(begin) {
					if s.run(simulated); time.Since(begin) > 1100*time.Millisecond {
						t.Fatalf("still nothing after %v: %+v", time.Since(begin), s.link.State(time.Now()))
					}
				}
				if s.spell(2 * time.Second); s.recovery() > 8*time.Second {
					t.Errorf("less than a megabit: %+v", s.decision)
				}
			})
		})
	}
}
