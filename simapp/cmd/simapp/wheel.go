package main

import (
	"math"
	"time"
)

// key is what a driver presses.
type key int

const (
	keyNone key = iota
	keyForward
	keyBack
	keyLeft
	keyRight
	keyTake
	keyStop
	keyEmergency
	keyQuit
)

// keyOf has the keys that are one byte. Ctrl-C is one of them: the terminal is raw.
//
//nolint:gochecknoglobals // a constant table
var keyOf = map[byte]key{
	'w': keyForward, 's': keyBack, 'a': keyLeft, 'd': keyRight,
	'W': keyForward, 'S': keyBack, 'A': keyLeft, 'D': keyRight,
	't': keyTake, 'T': keyTake, ' ': keyStop, 'e': keyEmergency, 'E': keyEmergency,
	'q': keyQuit, 'Q': keyQuit, 3: keyQuit, 4: keyQuit,
}

// arrowOf has the last byte of the arrow keys' sequences, ESC [ A or ESC O A.
//
//nolint:gochecknoglobals // a constant table
var arrowOf = map[byte]key{'A': keyForward, 'B': keyBack, 'C': keyRight, 'D': keyLeft}

// keyReader finds keys in what a terminal sends.
type keyReader struct{ sequence int } // bytes of one that have come

// next takes a byte and returns the key it completes.
func (r *keyReader) next(b byte) key {
	switch {
	case b == 0x1b:
		r.sequence = 1
	case r.sequence == 1 && (b == '[' || b == 'O'):
		r.sequence = 2
	case r.sequence == 2 && (b >= '0' && b <= '9' || b == ';'): // with Shift or Control
	case r.sequence == 2:
		r.sequence = 0
		return arrowOf[b]
	default:
		r.sequence = 0
		return keyOf[b]
	}
	return keyNone
}

// wheel turns keys into the speeds of the motors. Terminals do not say when a key
// is let go: it drives for a moment, and on when it repeats.
type wheel struct {
	speed float64
	taken bool

	ahead, turn axis
}

// axis is the direction of one axis, and until when it is held.
type axis struct {
	value float64
	until time.Time
}

func (h axis) at(now time.Time) float64 {
	if now.Before(h.until) {
		return h.value
	}
	return 0
}

// press takes a key that drives. One without the wheel does nothing.
func (w *wheel) press(k key, now time.Time) {
	if !w.taken {
		return
	}
	until := now.Add(keyTime)
	switch k {
	case keyForward:
		w.ahead = axis{w.speed, until}
	case keyBack:
		w.ahead = axis{-w.speed, until}
	case keyLeft:
		w.turn = axis{-w.speed, until}
	case keyRight:
		w.turn = axis{w.speed, until}
	default:
	}
}

// release lets all keys go.
func (w *wheel) release() { w.ahead, w.turn = axis{}, axis{} }

// lose gives the wheel up.
func (w *wheel) lose() {
	w.release()
	w.taken = false
}

// motors returns how fast the sides are to run now.
func (w *wheel) motors(now time.Time) (left, right float64) {
	ahead, turn := w.ahead.at(now), w.turn.at(now)
	bound := func(v float64) float64 { return math.Max(-1, math.Min(1, v)) }
	return bound(ahead + turn), bound(ahead - turn)
}
