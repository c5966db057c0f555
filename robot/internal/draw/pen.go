package draw

import (
	"image"
	"math"
)

// Pen draws with ink that has an edge of another colour on both sides, which keeps it
// visible on every background. The zero Pen draws nothing.
type Pen struct {
	Ink, Edge    Colour
	width, edge  int
	luma, chroma profile
}

// NewPen returns a pen for lines of a width, in pixels, with an edge of another width
// on both sides. It is to be kept: it prepares what it mixes.
func NewPen(width, edge int) Pen {
	width, edge = max(0, width), max(0, edge)
	return Pen{width: width, edge: edge, luma: newProfile(width, edge, 1), chroma: newProfile(width, edge, 2)}
}

// profile is a cut through a line: how much of each colour there is, by the distance
// from its middle in steps of 1/16 pixel.
type profile []share

const (
	fine  = 16
	whole = 256
)

// share are the parts of a mixture; together they are whole.
type share struct{ below, ink, edge uint32 }

// newProfile takes the distance of two samples: a sample is covered in proportion to
// how far its middle is inside, over that distance.
func newProfile(width, edge int, step float64) profile {
	ink := float64(width) / 2
	outer := ink + float64(edge)
	if outer == 0 {
		return nil
	}
	p := make(profile, int(math.Ceil((outer+step/2)*fine)))
	for i := range p {
		d := (float64(i) + 0.5) / fine
		covered := cover((outer - d) / step)
		s := share{ink: min(covered, cover((ink-d)/step)), below: whole - covered}
		s.edge = whole - s.ink - s.below
		p[i] = s
	}
	return p
}

func cover(inside float64) uint32 { return uint32(min(max(inside+0.5, 0), 1)*whole + 0.5) }

// reach is the distance in pixels from which on there is nothing.
func (p profile) reach() float64 { return float64(len(p)) / fine }

func (s share) mix(below, ink, edge uint8) uint8 {
	sum := s.below*uint32(below) + s.ink*uint32(ink) + s.edge*uint32(edge)
	return uint8((sum + whole/2) / whole) //nolint:gosec // G115: a mean of three bytes
}

// Frame draws the outline of r. The ink is inside of r and the edge on both sides of
// the ink.
func (c Canvas) Frame(r image.Rectangle, p *Pen) {
	c.hollow(r.Inset(-p.edge), p.width+2*p.edge, p.Edge)
	c.hollow(r, p.width, p.Ink)
}

// hollow fills r but for what is more than width inside of it.
func (c Canvas) hollow(r image.Rectangle, width int, with Colour) {
	if r.Dx() <= 2*width || r.Dy() <= 2*width {
		c.Fill(r, with, opaque)
		return
	}
	top, bottom := r.Min.Y+width, r.Max.Y-width
	c.Fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, top), with, opaque)
	c.Fill(image.Rect(r.Min.X, top, r.Min.X+width, bottom), with, opaque)
	c.Fill(image.Rect(r.Max.X-width, top, r.Max.X, bottom), with, opaque)
	c.Fill(image.Rect(r.Min.X, bottom, r.Max.X, r.Max.Y), with, opaque)
}
