package camera

import (
	"image"
	"time"
)

// ringLen is how many pictures a camera keeps for reuse: one being painted,
// one waiting, one in each of two encoders, and one to spare.
const ringLen = 5

// timedPicture is an image that knows when it was taken.
type timedPicture struct {
	image.YCbCr
	captured time.Time
	release  func()
}

// ring lends pictures of one size. A reader that keeps more of them than
// ringLen, or never returns one, gets fresh memory.
type ring struct {
	size image.Point
	free chan *timedPicture
}

func newRing(size image.Point) *ring {
	return &ring{size: size, free: make(chan *timedPicture, ringLen)}
}

func (r *ring) take() *timedPicture {
	select {
	case p := <-r.free:
		return p
	default:
	}
	p := &timedPicture{YCbCr: *image.NewYCbCr(image.Rectangle{Max: r.size}, image.YCbCrSubsampleRatio420)}
	p.release = func() {
		select {
		case r.free <- p:
		default:
		}
	}
	return p
}
