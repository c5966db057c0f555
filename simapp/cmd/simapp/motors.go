package main

import (
	"errors"
	"time"

	"wimz.dev/live/simapp"
)

const (
	// frameEvery is how often motors are told (CONTRACT §6).
	frameEvery = 50 * time.Millisecond
	// zeros is how often they are told to rest: one may be lost.
	zeros = 3
	// keyTime is how long a key drives, and a line that says no time.
	keyTime = 250 * time.Millisecond
	// blindAfter is how old the newest picture may be for who drives.
	blindAfter = time.Second
)

var errBlind = errors.New("the robot stands: there was no picture for a second")

// vehicle is what a driver needs of a viewing.
type vehicle interface {
	Drive(left, right float64) error
	Stop(emergency bool) error
	Totals() simapp.Totals
	Done() <-chan struct{}
	Err() error
}

// motors tells a robot's motors what to do, once every [frameEvery].
type motors struct {
	vehicle

	resting int // how often it was said that they rest; zeros if they were never told to run
}

// run tells them, and reports whether there was anything to be told. They are not
// told to run by who sees nothing.
func (m *motors) run(left, right float64, now time.Time) (told bool, err error) {
	switch {
	case left == 0 && right == 0:
		if m.resting++; m.resting > zeros {
			return false, nil
		}
	case now.Sub(m.Totals().Newest) > blindAfter:
		return true, errBlind
	default:
		m.resting = 0
	}
	return true, m.Drive(left, right)
}
