package quality_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/quality"
)

// wire is a link that carries a bit rate, with a queue in front of it. Video fills
// what it may. Links as they are, and how well they are followed, are tried in
// package link.
type wire struct {
	*quality.Controller
	now    time.Time
	kbps   int // that it carries
	limit  int // that the app wants
	loss   float64
	lag    time.Duration // until something is heard of what was sent
	others [3]int
	queued float64 // kilobits
	sent   quality.Decision
}

var ladder = quality.NewLadder(image.Pt(1280, 720), 1500)

const tick = 50 * time.Millisecond

func newWire(kbps int) *wire {
	w := &wire{Controller: quality.NewController(ladder), now: time.Unix(1e9, 0), kbps: kbps}
	w.sent = w.Step(w.now, quality.Link{}, w.others)
	return w
}

// step lets 50 ms pass.
func (w *wire) step() quality.Decision {
	w.now = w.now.Add(tick)
	part := tick.Seconds()
	in := float64(w.sent.Kbps) * part
	if w.sent.Pause {
		in = 0
	}
	out := min(w.queued+in, float64(w.kbps)*part)
	w.queued = min(w.queued+in-out, float64(w.kbps)) // a second at most
	wait := time.Duration(w.queued / float64(w.kbps) * float64(time.Second))
	tier := w.sent.Tier
	w.sent = w.Step(w.now, quality.Link{
		Limit: w.limit, Delivered: int(out / part), Arriving: w.kbps, Loss: w.loss, Queue: wait, Heard: w.now.Add(-w.lag),
	}, w.others)
	if w.sent.Tier != tier { // begins with a key frame
		w.queued += 0.3 * float64(w.sent.Kbps)
	}
	return w.sent
}

// run lets some time pass and returns how often the tier changed.
func (w *wire) run(d time.Duration) (changes int) {
	for range d / tick {
		tier := w.sent.Tier
		if w.step().Tier != tier {
			changes++
		}
	}
	return changes
}

// reaches lets time pass until something is so.
func (w *wire) reaches(t *testing.T, what string, within time.Duration, so func() bool) {
	t.Helper()
	begin := w.now
	for !so() {
		if w.step(); w.now.Sub(begin) > within {
			t.Fatalf("%s: not within %v: %+v", what, within, w.sent)
		}
	}
}

func TestGoodLink(t *testing.T) {
	w := newWire(5000)
	if n := w.run(time.Minute); n > 0 || w.sent.Tier != quality.High || w.sent.Kbps != 1500 {
		t.Errorf("after %d changes: %+v", n, w.sent)
	}
}

// TestBackBesideAnother has another viewer who was not squeezed.
func TestBackBesideAnother(t *testing.T) {
	w := newWire(5000)
	w.others[quality.High] = 1500
	w.run(10 * time.Second)
	w.kbps = 400
	w.run(20 * time.Second)
	if w.sent.Tier != quality.Low {
		t.Errorf("%+v over 400 kbit/s", w.sent)
	}
	w.kbps = 5000
	w.reaches(t, "the other's picture", 20*time.Second, func() bool { return w.sent.Tier == quality.High && w.sent.Kbps > 1350 })
}

// TestLimit has an app that wants no more, or less than there is.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		limit, kbps int // at most and at least 0.8 of that
		tier        quality.Tier
	}{{20_000, 1500, quality.High}, {1000, 900, quality.High}, {480, 432, quality.Low}, {1, 100, quality.Low}} {
		w := newWire(5000)
		w.run(5 * time.Second)
		w.limit = c.limit
		w.step()
		if w.sent.Kbps > c.kbps {
			t.Errorf("limit %d: %+v at once", c.limit, w.sent)
		}
		w.run(20 * time.Second)
		if w.sent.Kbps > c.kbps || w.sent.Kbps < c.kbps*8/10 || w.sent.Tier != c.tier {
			t.Errorf("limit %d: %+v", c.limit, w.sent)
		}
		w.limit = 0
		w.reaches(t, "all without a limit", 15*time.Second, func() bool { return w.sent.Kbps == 1500 })
	}
}

// TestNatureIsForgotten: a link that loses by its nature gets repairs for that, and
// none when it does not any more.
func TestNatureIsForgotten(t *testing.T) {
	w := newWire(5000)
	w.loss = 0.2
	w.run(20 * time.Second)
	if w.sent.Tier != quality.Medium || w.sent.Kbps != 900 || w.sent.Repairs < w.sent.Kbps/2 {
		t.Errorf("with a loss: %+v", w.sent)
	}
	w.loss = 0
	w.run(30 * time.Second)
	if w.sent.Kbps != 1500 || w.sent.Repairs > w.sent.Kbps*26/100 {
		t.Errorf("without: %+v", w.sent)
	}
}

// TestOneStepAtATime: no step follows another before it was heard of.
func TestOneStepAtATime(t *testing.T) {
	w := newWire(5000)
	w.limit = 300
	w.run(10 * time.Second)
	from := w.sent.Kbps
	w.limit, w.lag = 0, 2900*time.Millisecond
	w.run(3 * time.Second)
	if w.sent.Kbps > from*8/5+1 {
		t.Errorf("from %d to %d in three seconds of which nothing is heard", from, w.sent.Kbps)
	}
}

// TestWhateverIsMeasured has links that make no sense: a picture comes at least every
// second, of a bit rate that there is.
func TestWhateverIsMeasured(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c, now, paused := quality.NewController(ladder), time.Unix(1e9, 0), 0
	upTo := func(n int) int { return random.IntN(n + 1) }
	var l quality.Link
	for range 200_000 {
		now = now.Add(tick)
		if upTo(10) == 0 {
			l = quality.Link{
				Limit: upTo(1) * upTo(30_000), Delivered: upTo(5000), Arriving: upTo(1) * upTo(100_000) / (1 + upTo(100)),
				Loss: random.Float64() * float64(upTo(1)), Queue: time.Duration(upTo(3)*upTo(400)) * time.Millisecond,
			}
		}
		l.Heard = now.Add(-time.Duration(upTo(5000)) * time.Millisecond)
		d := c.Step(now, l, [3]int{upTo(400), upTo(900), upTo(1) * upTo(1500)})
		if paused++; !d.Pause {
			paused = 0
		}
		if time.Duration(paused)*tick > time.Second+tick || d.Kbps < 100 || d.Kbps > 1500 || d.Repairs < 0 || d.Repairs > 2*d.Kbps {
			t.Fatalf("%+v after a pause of %d steps, with %+v", d, paused, l)
		}
	}
}

// TestOnePauseForTwoFalls: a link that gets worse while it is paused for is not paused
// for once more.
func TestOnePauseForTwoFalls(t *testing.T) {
	c, now, paused := quality.NewController(ladder), time.Unix(1e9, 0), 0
	for i := range 40 {
		now = now.Add(tick)
		l := quality.Link{Queue: 150 * time.Millisecond, Arriving: 1000, Heard: now}
		if i >= 16 {
			l.Arriving = 300
		}
		if d := c.Step(now, l, [3]int{}); d.Pause {
			paused++
		} else if i > 0 && i < 21 {
			t.Fatalf("step %d: %+v", i, d)
		}
	}
	if paused > 22 {
		t.Errorf("it pauses for %d steps", paused)
	}
}

// TestNothingHeard: without a word of the link nothing is tried, and nothing lowered.
func TestNothingHeard(t *testing.T) {
	c, now := quality.NewController(ladder), time.Unix(1e9, 0)
	for range time.Minute / tick {
		now = now.Add(tick)
		if d := c.Step(now, quality.Link{}, [3]int{}); d.Kbps != 1500 || d.Pause {
			t.Fatalf("%+v", d)
		}
	}
}

// TestTiersDoNotFlap has links that are just too narrow for a tier.
func TestTiersDoNotFlap(t *testing.T) {
	for kbps := 200; kbps <= 1600; kbps += 50 {
		t.Run(fmt.Sprint(kbps), func(t *testing.T) {
			w := newWire(kbps)
			w.run(30 * time.Second)
			if n := w.run(2 * time.Minute); n > 8 {
				t.Errorf("%d changes in two minutes", n)
			}
		})
	}
}

// TestShortStaysMakePatient: a tier that had to be left at once is not climbed to
// again and again.
func TestShortStaysMakePatient(t *testing.T) {
	w := newWire(300)
	var last time.Time
	var stays []time.Duration
	for range 4 {
		w.reaches(t, "the lowest tier", 10*time.Second, func() bool { return w.sent.Tier == quality.Low })
		w.run(time.Second)
		w.kbps = 5000
		w.reaches(t, "a climb", 20*time.Second, func() bool {
			if w.sent.Kbps < 630 {
				last = w.now
			}
			return w.sent.Tier > quality.Low
		})
		stays = append(stays, w.now.Sub(last))
		w.kbps = 300
	}
	if stays[1] < stays[0]*3/2 || stays[2] < stays[1]*3/2 || stays[3] > 7*time.Second {
		t.Errorf("it waited for %v", stays)
	}
}

// TestPauseEndsWithoutFeedback: a link that says nothing any more gets a frame now
// and then, to see.
func TestPauseEndsWithoutFeedback(t *testing.T) {
	c, now, paused := quality.NewController(ladder), time.Unix(1e9, 0), 0
	for range 20 * time.Second / tick {
		now = now.Add(tick)
		if c.Step(now, quality.Link{Queue: time.Minute}, [3]int{}).Pause {
			paused++
			continue
		}
		if time.Duration(paused)*tick > time.Second+tick {
			t.Fatalf("nothing for %v", time.Duration(paused)*tick)
		}
		paused = 0
	}
	if paused > 30 {
		t.Error("it pauses for good")
	}
}

func TestModesAreHonoured(t *testing.T) {
	w := newWire(5000)
	for _, c := range []struct {
		mode quality.Mode
		tier quality.Tier
		kbps int
	}{{quality.OnlyLow, quality.Low, 400}, {quality.OnlyMedium, quality.Medium, 900}, {quality.OnlyHigh, quality.High, 1500}} {
		w.SetMode(c.mode)
		if d := w.step(); d.Tier != c.tier {
			t.Errorf("%s: tier %v", c.mode, d.Tier)
		}
		w.reaches(t, string(c.mode), 5*time.Second, func() bool { return w.sent.Kbps == c.kbps })
		if n := w.run(10 * time.Second); n > 0 || w.Bars(quality.Link{}) != 4 {
			t.Errorf("%s: %d changes, %d bars", c.mode, n, w.Bars(quality.Link{}))
		}
	}
	w.SetMode(quality.OnlyHigh)
	w.kbps = 300
	if n := w.run(10 * time.Second); n > 0 || w.sent.Kbps > 400 {
		t.Errorf("high over 300 kbit/s: %d changes, %+v", n, w.sent)
	}
	w.SetMode(quality.OnlyLow)
	w.kbps = 5000
	w.run(5 * time.Second)
	w.SetMode(quality.Auto)
	w.reaches(t, "auto again", 15*time.Second, func() bool { return w.sent.Tier == quality.High && w.sent.Kbps > 1400 })
}

// TestSharing: with much less than the other can take, a viewer has a rendition of
// his own; with about as much they share one.
func TestSharing(t *testing.T) {
	for _, c := range []struct {
		own, other int
		want       quality.Tier
	}{{5000, 1500, quality.High}, {2000, 1500, quality.High}, {1000, 1500, quality.Medium}, {1400, 0, quality.High}} {
		t.Run(fmt.Sprintf("%d beside %d", c.own, c.other), func(t *testing.T) {
			w := newWire(c.own)
			w.others[quality.High] = c.other
			w.run(30 * time.Second)
			var high int
			for range 600 {
				if w.step().Tier == quality.High {
					high++
				}
			}
			if most := high > 300; most != (c.want == quality.High) {
				t.Errorf("%d of 600 steps in the high tier", high)
			}
		})
	}
}
