package stream

import (
	"image"
	"sync/atomic"
	"testing"

	"wimz.dev/live/robot/internal/camera"
)

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
			s := newSubscription(&encoder{})
			s.start()
			s.encoder.keys.wanted = false
			for _, step := range c.do {
				if step == 't' {
					_, _, _ = s.take()
					continue
				}
				s.push(Unit{Key: step == 'K'})
			}
			queued := ""
			for _, u := range s.queue {
				if u.Key {
					queued += "K"
				} else {
					queued += "-"
				}
			}
			if queued != c.queued || s.Dropped() != c.dropped || s.encoder.keys.wanted != c.asked {
				t.Errorf("queued %q, dropped %d, key asked %v", queued, s.Dropped(), s.encoder.keys.wanted)
			}
		})
	}
}

func TestNothingBeforeTheFirstNext(t *testing.T) {
	s := newSubscription(&encoder{})
	s.push(Unit{Key: true})
	if len(s.queue) != 0 || s.Dropped() != 0 || s.encoder.keys.wanted {
		t.Errorf("queued %d, dropped %d", len(s.queue), s.Dropped())
	}
}

// TestFrameGoesBackAfterItsLastHolder has a frame in two boxes: its memory
// must not be painted over while one of them has it.
func TestFrameGoesBackAfterItsLastHolder(t *testing.T) {
	f := &feed{stream: &Stream{}}
	one, two := newBox(), newBox()
	f.add(one)
	f.add(two)
	var released atomic.Int32
	shoot := func() {
		f.publish(camera.Frame{Image: &image.YCbCr{}, Release: func() { released.Add(1) }})
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
	f.remove(two)
	shoot()
	expect(3)
	if skipped := f.stream.Skipped(); skipped != 1 {
		t.Errorf("%d skipped", skipped)
	}
}
