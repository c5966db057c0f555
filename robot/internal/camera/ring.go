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
	memory   []byte // all three planes, back to back
	captured time.Time
	release  func()
}

// ring lends pictures of one size. A reader that keeps more of them than
// ringLen, or never returns one, gets fresh memory.
type ring struct {
	size   image.Point
	stride int // of the luma plane; the chroma planes have half of it
	free   chan *timedPicture
}

// newRing returns a ring of pictures without gaps. Both sides of size are even.
func newRing(size image.Point) *ring { return newRingOf(size, size.X) }

// newRingOf returns a ring of pictures whose rows of luma are stride bytes apart.
func newRingOf(size image.Point, stride int) *ring {
	return &ring{size: size, stride: stride, free: make(chan *timedPicture, ringLen)}
}

func (r *ring) take() *timedPicture {
	select {
	case p := <-r.free:
		return p
	default:
	}
	luma := r.stride * r.size.Y
	p := &timedPicture{memory: make([]byte, luma+luma/2)}
	p.YCbCr = image.YCbCr{
		Y: p.memory[:luma:luma], Cb: p.memory[luma : luma+luma/4 : luma+luma/4], Cr: p.memory[luma+luma/4:],
		YStride: r.stride, CStride: r.stride / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rectangle{Max: r.size},
	}
	p.release = func() {
		select {
		case r.free <- p:
		default:
		}
	}
	return p
}
