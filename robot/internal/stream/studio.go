package stream

import (
	"image"
	"slices"
	"sync"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/scale"
)

// Painter draws what the camera did not see.
type Painter interface {
	// Draw draws on a picture, in place. captured is when it was taken.
	Draw(img *image.YCbCr, captured time.Time)
	// Placeholder paints a whole picture that stands for a missing one: the
	// words, and for how long there has been none; negative: there was none yet.
	Placeholder(img *image.YCbCr, words string, since time.Duration)
}

// darkroom is the painter of a stream that was given none: it draws nothing, and
// a missing picture is dark.
type darkroom struct{}

func (darkroom) Draw(*image.YCbCr, time.Time) {}

func (darkroom) Placeholder(img *image.YCbCr, _ string, _ time.Duration) {
	fill := func(plane []byte, value byte) {
		for i := range plane {
			plane[i] = value
		}
	}
	fill(img.Y, 32)
	fill(img.Cb, 128)
	fill(img.Cr, 128)
}

// studio makes of each picture what the encoders want, and gives it to them: one
// drawing whoever watches, and each size once. Its pictures are made by one
// goroutine; boxes come and go from any.
type studio struct {
	painter Painter
	ladder  quality.Ladder
	frames  *shelf // lent by the camera
	sized   [len(quality.Ladder{})]*shelf
	scalers [len(quality.Ladder{})]*scale.Scaler // nil until somebody wants the size

	mu    sync.Mutex
	boxes []*box // replaced, never changed
}

func newStudio(p Painter, l quality.Ladder) *studio {
	s := &studio{painter: p, ladder: l, frames: newShelf(image.Point{})}
	for tier, rung := range l {
		s.sized[tier] = newShelf(rung.Size)
	}
	return s
}

// show gives a frame of the camera to the encoders. It returns how many older
// pictures they had not got round to.
func (s *studio) show(frame camera.Frame) (skipped uint64) {
	boxes := s.wanted()
	p := s.frames.lend(frame)
	defer p.release()
	// Those without the overlay first: it is drawn in place.
	drawn := slices.ContainsFunc(boxes, func(b *box) bool { return b.look.overlay })
	skipped = s.hand(p, boxes, false, drawn)
	if drawn {
		s.painter.Draw(p.img, p.captured)
		skipped += s.hand(p, boxes, true, false)
	}
	return skipped
}

// stand gives a placeholder to the encoders.
func (s *studio) stand(words string, since time.Duration, now time.Time) (skipped uint64) {
	boxes := s.wanted()
	if len(boxes) == 0 {
		return 0
	}
	p := s.sized[quality.High].take()
	defer p.release()
	p.captured = now
	s.painter.Placeholder(p.img, words, since)
	return s.hand(p, boxes, false, false) + s.hand(p, boxes, true, false)
}

// hand puts a picture into the boxes of its kind, in the size that each wants.
// It gives copies away only if the picture is still to be drawn on.
func (s *studio) hand(p *picture, boxes []*box, overlay, copied bool) (skipped uint64) {
	for tier := range s.ladder {
		want := look{quality.Tier(tier), overlay}
		var made *picture
		for _, b := range boxes {
			if b.look != want {
				continue
			}
			if made == nil {
				made = s.size(p, want.tier, copied)
			}
			skipped += b.put(made)
		}
		if made != nil {
			made.release()
		}
	}
	return skipped
}

// size returns the picture in the size of a tier, for the caller to release.
func (s *studio) size(p *picture, tier quality.Tier, copied bool) *picture {
	if s.ladder[tier].Size == p.img.Rect.Max && !copied || p.img.Rect != (image.Rectangle{Max: s.ladder[quality.High].Size}) {
		p.hold() // a picture of the wrong size is for the encoder to refuse
		return p
	}
	made := s.sized[tier].take()
	made.captured = p.captured
	if tier == quality.High {
		copyPicture(made.img, p.img)
		return made
	}
	if s.scalers[tier] == nil {
		s.scalers[tier] = scale.New(p.img.Rect.Max, s.ladder[tier].Size)
	}
	s.scalers[tier].Scale(made.img, p.img)
	return made
}

// copyPicture copies a picture to one of the same size, whatever their strides.
func copyPicture(dst, src *image.YCbCr) {
	size := src.Rect.Size()
	copyPlane(dst.Y, dst.YStride, src.Y, src.YStride, size)
	copyPlane(dst.Cb, dst.CStride, src.Cb, src.CStride, size.Div(2))
	copyPlane(dst.Cr, dst.CStride, src.Cr, src.CStride, size.Div(2))
}

func copyPlane(dst []byte, dstStride int, src []byte, srcStride int, size image.Point) {
	for y := range size.Y {
		copy(dst[y*dstStride:][:size.X], src[y*srcStride:])
	}
}

// wanted returns the boxes there are. The slice is not changed afterwards.
func (s *studio) wanted() []*box {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boxes
}

func (s *studio) add(b *box) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boxes = append(slices.Clone(s.boxes), b)
}

// remove takes a box away, with what is left in it.
func (s *studio) remove(b *box) {
	s.mu.Lock()
	s.boxes = slices.DeleteFunc(slices.Clone(s.boxes), func(x *box) bool { return x == b })
	s.mu.Unlock()
	select {
	case p := <-b.newest:
		p.release()
	default:
	}
}
