package camera

import (
	"image"
	"os"
	"time"
)

// SetStall shortens the time a camera may give no picture.
func (c *Rpicam) SetStall(d time.Duration) { c.stall = d }

// Patient makes a camera that is opened again after a while.
func Patient(s Source) Source { return &patient{Source: s} }

// NewRawPictures returns a function that reads the next picture from a pipe and
// gives it back.
func NewRawPictures(pipe *os.File, size image.Point) func() error {
	r := rawPictures{fd: int(pipe.Fd()), ring: newRing(size), pause: time.Second, limit: time.Minute, stall: time.Minute}
	return func() error {
		p, err := r.next()
		if err == nil {
			p.release()
		}
		return err
	}
}

// SetSilence shortens the time the sender of a feed may send no picture.
func SetSilence(s Source, d time.Duration) {
	if f, ok := s.(*feed); ok {
		f.silence = d
	}
}

// NewPace returns the function that says whether a picture is due.
func NewPace(fps int) func(time.Time) bool {
	p := newPace(fps)
	return p.due
}

// Monotonic is what CLOCK_MONOTONIC says.
func Monotonic() (time.Duration, error) { return monotonic() }
