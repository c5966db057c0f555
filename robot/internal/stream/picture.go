package stream

import (
	"image"
	"sync/atomic"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/quality"
)

// picture is one picture in the hands of several encoders, who only read it.
// With the last of them it goes back to where it came from.
type picture struct {
	img      *image.YCbCr
	captured time.Time
	holders  atomic.Int32
	camera   func() // gives img back to the camera; nil if it is the shelf's
	shelf    *shelf
}

// hold adds a holder, who must release the picture.
func (p *picture) hold() { p.holders.Add(1) }

func (p *picture) release() {
	if p.holders.Add(-1) > 0 {
		return
	}
	if p.camera != nil {
		p.camera()
		p.img, p.camera = nil, nil
	}
	p.shelf.put(p)
}

// shelfLen is how many pictures of one kind are kept for reuse: one being made,
// one waiting and one being encoded, for each of two codecs.
const shelfLen = 5

// shelf keeps pictures of one size, or none, that are not in use. Who finds it
// empty gets fresh memory.
type shelf struct {
	size image.Point
	free chan *picture
}

func newShelf(size image.Point) *shelf {
	return &shelf{size: size, free: make(chan *picture, shelfLen)}
}

// take returns a picture with one holder. What it shows is undefined.
func (s *shelf) take() *picture {
	var p *picture
	select {
	case p = <-s.free:
	default:
		p = &picture{shelf: s}
		if s.size != (image.Point{}) {
			p.img = image.NewYCbCr(image.Rectangle{Max: s.size}, image.YCbCrSubsampleRatio420)
		}
	}
	p.holders.Store(1)
	return p
}

// lend is take for a frame, whose memory is the camera's.
func (s *shelf) lend(frame camera.Frame) *picture {
	p := s.take()
	p.img, p.captured, p.camera = frame.Image, frame.Captured, frame.Release
	return p
}

func (s *shelf) put(p *picture) {
	select {
	case s.free <- p:
	default:
	}
}

// look is how a picture is to be given to an encoder.
type look struct {
	tier    quality.Tier
	overlay bool
}

// box holds the newest picture for one encoder. It has one writer, the feed.
type box struct {
	look   look
	newest chan *picture
}

func newBox(l look) *box { return &box{l, make(chan *picture, 1)} }

// put replaces the picture in the box, of which it becomes a holder. It returns
// how many it took out, 0 or 1.
func (b *box) put(p *picture) (skipped uint64) {
	p.hold()
	select {
	case old := <-b.newest:
		old.release()
		skipped = 1
	default:
	}
	b.newest <- p // there is room: nobody else puts
	return skipped
}
