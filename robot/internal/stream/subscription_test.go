package stream

import (
	"image"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/quality"
)

// watching is a subscription to an encoder that only the test runs.
func watching() *Subscription {
	s := newSubscription(nil)
	s.current = &encoder{}
	return s
}

// TestQueuePolicy pushes key frames (K), others (-), takes one (t) and looks at
// what is queued.
func TestQueuePolicy(t *testing.T) {
	for name, c := range map[string]struct {
		do      string
		queued  string
		dropped uint64
		asked   bool // for a key frame, after the first
	}{
		"waits for a key frame":       {"---K--", "K--", 3, false},
		"full":                        {"K-------", "K-------", 0, false},
		"overflow empties":            {"K--------", "", 9, true},
		"nothing until the next key":  {"K--------t---", "", 12, true},
		"goes on with a key frame":    {"K-----------K-", "K-", 12, true},
		"a key frame starts afresh":   {"K-------K", "K", 8, false},
		"who takes in time keeps all": {"K-------t-t-t-", "--------", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, now := watching(), time.Now()
			s.start()
			s.current.keys.wanted = false
			for _, step := range c.do {
				if step == 't' {
					_, _, _ = s.take(now)
					continue
				}
				s.push(s.current, Unit{Key: step == 'K', Captured: now})
			}
			queued := ""
			for _, u := range s.queue {
				if u.Key {
					queued += "K"
				} else {
					queued += "-"
				}
			}
			if queued != c.queued || s.Dropped() != c.dropped || s.current.keys.wanted != c.asked {
				t.Errorf("queued %q, dropped %d, key asked %v", queued, s.Dropped(), s.current.keys.wanted)
			}
		})
	}
}

func TestNothingBeforeTheFirstNext(t *testing.T) {
	s := watching()
	s.push(s.current, Unit{Key: true})
	if len(s.queue) != 0 || s.Dropped() != 0 || s.current.keys.wanted {
		t.Errorf("queued %d, dropped %d", len(s.queue), s.Dropped())
	}
}

// TestStaleUnitsAreNotSent has a viewer who comes back after half a second: what
// waited for him is worth nothing, and he goes on with a key frame.
func TestStaleUnitsAreNotSent(t *testing.T) {
	s, now := watching(), time.Now()
	s.start()
	s.push(s.current, Unit{Key: true, Captured: now})
	s.push(s.current, Unit{Captured: now.Add(frameTime)})
	s.current.keys.wanted = false
	if u, ok, _ := s.take(now.Add(staleAge)); !ok || !u.Key {
		t.Fatal("half a second is not too old")
	}
	if u, ok, _ := s.take(now.Add(staleAge + frameTime + 1)); ok {
		t.Errorf("got a unit of %v", u.Captured.Sub(now))
	}
	if !s.needKey || !s.current.keys.wanted || s.Dropped() != 1 {
		t.Errorf("needs a key frame %v, asked %v, dropped %d", s.needKey, s.current.keys.wanted, s.Dropped())
	}
}

const frameTime = time.Second / 15

// TestGoingOver pushes units of the old encoder (o) and of the next one (key
// frame N, others n), each with the number of its picture, and looks at what the
// viewer gets.
func TestGoingOver(t *testing.T) {
	for name, c := range map[string]struct{ do, got string }{
		"the next one is quicker":           {"o1 N2 o2 o3 n3", "o1 N2 n3"},
		"the old one is quicker":            {"o1 o2 N2 o3 n3", "o1 o2 N2 n3"},
		"no gap before the key frame":       {"o1 n1 o2 n2 o3 N4 n5", "o1 o2 o3 N4 n5"},
		"nothing of the old one afterwards": {"N1 o1 o2 n2 o3", "N1 n2"},
	} {
		t.Run(name, func(t *testing.T) {
			s, old, next, start := watching(), &encoder{}, &encoder{stream: &Stream{}}, time.Now()
			old.stream = next.stream
			old.stop = func() {}
			s.stream, s.current, s.next, s.started = old.stream, old, next, true
			at := func(n byte) time.Time { return start.Add(time.Duration(n-'0') * frameTime) }
			names := map[time.Time]string{}
			for step := range strings.FieldsSeq(c.do) {
				u := Unit{Key: step[0] == 'N', Captured: at(step[1])}
				if step[0] == 'o' {
					s.push(old, u)
				} else {
					s.push(next, u)
				}
				if n := len(s.queue); n > 0 && names[s.queue[n-1].Captured] == "" {
					names[s.queue[n-1].Captured] = step
				}
			}
			got, last := "", time.Time{}
			for i, u := range s.queue {
				if !u.Captured.After(last) {
					t.Errorf("unit %d does not come after the one before", i)
				}
				last = u.Captured
				got += " " + names[u.Captured]
			}
			if got != " "+c.got {
				t.Errorf("got%s, want %s", got, c.got)
			}
		})
	}
}

func TestTarget(t *testing.T) {
	ladder := quality.NewLadder(image.Pt(1280, 720), 1500)
	for name, c := range map[string]struct {
		tier quality.Tier
		can  []int // what each viewer can take
		want int
	}{
		"nothing known":                 {quality.High, []int{0}, 1500},
		"one":                           {quality.High, []int{1100}, 1100},
		"one who could take more":       {quality.High, []int{9000}, 1500},
		"a little slower":               {quality.High, []int{1400, 1200}, 1200},
		"much slower holds nobody down": {quality.High, []int{1400, 600}, 1050},
		"one is not known":              {quality.High, []int{1400, 0}, 1400},
		"the lowest waits for all":      {quality.Low, []int{400, 150}, 150},
		"a picture needs something":     {quality.Low, []int{1}, minKbps},
	} {
		t.Run(name, func(t *testing.T) {
			e := &encoder{stream: &Stream{ladder: ladder}, rendition: Rendition{Tier: c.tier}}
			for _, kbps := range c.can {
				s := newSubscription(nil)
				s.SetBitrate(kbps)
				e.subscribers = append(e.subscribers, s)
			}
			if got := e.target(); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// TestPictureGoesBackAfterItsLastHolder has a frame in two boxes: its memory
// must not be painted over while one of them has it.
func TestPictureGoesBackAfterItsLastHolder(t *testing.T) {
	f := newStudio(darkroom{}, quality.NewLadder(image.Pt(320, 192), 300))
	high := look{tier: quality.High}
	one, two := newBox(high), newBox(high)
	f.add(one)
	f.add(two)
	var released atomic.Int32
	skipped := uint64(0)
	shoot := func() {
		img := image.NewYCbCr(image.Rect(0, 0, 320, 192), image.YCbCrSubsampleRatio420)
		skipped += f.show(camera.Frame{Image: img, Release: func() { released.Add(1) }})
	}
	expect := func(want int32) {
		t.Helper()
		if got := released.Load(); got != want {
			t.Errorf("%d frames went back, want %d", got, want)
		}
	}
	shoot()
	expect(0)
	(<-one.newest).release()
	expect(0)
	shoot() // takes the first out of the second box
	expect(1)
	(<-one.newest).release()
	(<-two.newest).release()
	expect(2)
	f.remove(one)
	shoot()
	f.remove(two)
	expect(3)
	shoot()
	expect(4)
	if skipped != 1 {
		t.Errorf("%d skipped", skipped)
	}
}
