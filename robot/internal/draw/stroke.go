package draw

import "math"

// far is how many pixels away a coordinate may be, so that all arithmetic on it is
// exact enough.
const far = 1 << 20

// Dot draws a disc of the pen's width around x, y. A coordinate that is no number, or
// more than a million pixels away, draws nothing.
func (c Canvas) Dot(x, y float32, p *Pen) {
	if !near(x, y) {
		return
	}
	luma, chroma := c.grids()
	luma.dot(float64(x), float64(y), p.luma, p.inkAndEdge(true))
	chroma.dot(float64(x), float64(y), p.chroma, p.inkAndEdge(false))
}

// Line draws a smooth line whose ends are cut off straight: put a Dot there. It takes
// the coordinates that Dot takes.
func (c Canvas) Line(x0, y0, x1, y1 float32, p *Pen) {
	if !near(x0, y0, x1, y1) || x0 == x1 && y0 == y1 {
		return
	}
	s := newSegment(float64(x0), float64(y0), float64(x1), float64(y1))
	luma, chroma := c.grids()
	luma.line(&s, p.luma, p.inkAndEdge(true))
	chroma.line(&s, p.chroma, p.inkAndEdge(false))
}

func near(coordinates ...float32) bool {
	for _, v := range coordinates {
		if !(v >= -far && v <= far) { // NaN is neither
			return false
		}
	}
	return true
}

// values are ink and edge for each plane of a grid.
type values [2]struct{ ink, edge uint8 }

func (p *Pen) inkAndEdge(luma bool) (v values) {
	if luma {
		v[0].ink, v[0].edge = p.Ink.Y, p.Edge.Y
		return v
	}
	v[0].ink, v[0].edge = p.Ink.Cb, p.Edge.Cb
	v[1].ink, v[1].edge = p.Ink.Cr, p.Edge.Cr
	return v
}

// grid is one or two planes with the places of their samples in the picture: the
// first one's middle and the distance of two, in pixels.
type grid struct {
	planes          [2]plane
	n               int
	x, y, step, per float64 // per is 1/step
}

// grids returns the planes. The first chroma sample's middle is where four pixels
// meet.
func (c Canvas) grids() (luma, chroma grid) {
	return grid{[2]plane{c.luma}, 1, 0.5, 0.5, 1, 1},
		grid{[2]plane{c.cb, c.cr}, 2, float64(1 - c.odd.X), float64(1 - c.odd.Y), 2, 0.5}
}

// columns returns the samples of a row that are between left and right, rows those of
// a column between top and bottom; always within the plane.
func (g *grid) columns(left, right float64) (from, to int) {
	return span((left-g.x)*g.per, (right-g.x)*g.per, g.planes[0].w)
}

func (g *grid) rows(top, bottom float64) (from, to int) {
	return span((top-g.y)*g.per, (bottom-g.y)*g.per, g.planes[0].h)
}

func span(low, high float64, n int) (from, to int) {
	bound := float64(n)
	return int(math.Ceil(min(max(low, 0), bound))), int(min(max(high+1, 0), bound))
}

func (g *grid) dot(x, y float64, p profile, v values) {
	reach := p.reach()
	top, bottom := g.rows(y-reach, y+reach)
	left, right := g.columns(x-reach, x+reach)
	for row := top; row < bottom; row++ {
		dy := g.y + float64(row)*g.step - y
		for i := left; i < right; i++ {
			dx := g.x + float64(i)*g.step - x
			at := int(math.Sqrt(dx*dx+dy*dy) * fine)
			if at >= len(p) {
				continue
			}
			for k := range g.n {
				pix := &g.planes[k].row(row)[i]
				*pix = p[at].mix(*pix, v[k].ink, v[k].edge)
			}
		}
	}
}

// segment is a line from x, y on: its direction, of length 1, and its length.
type segment struct {
	x, y, dx, dy, length float64
	// How far the line's middle and its ends move to the right from a row to the
	// next, and how far the one end is to the right of the other.
	middle, ends, apart float64
	steep               float64 // one by the height of a line of length 1
}

func newSegment(x0, y0, x1, y1 float64) segment {
	s := segment{x: x0, y: y0, dx: x1 - x0, dy: y1 - y0}
	s.length = math.Sqrt(s.dx*s.dx + s.dy*s.dy)
	s.dx, s.dy = s.dx/s.length, s.dy/s.length
	s.middle, s.ends, s.apart = s.dx/s.dy, -s.dy/s.dx, s.length/s.dx
	s.steep = 1 / math.Abs(s.dy)
	return s
}

// line draws each row from where it enters the line to where it leaves it.
func (g *grid) line(s *segment, p profile, v values) {
	reach := p.reach()
	high := reach * math.Abs(s.dx) // the line's own height above its middle
	end := s.y + s.dy*s.length
	top, bottom := g.rows(min(s.y, end)-high, max(s.y, end)+high)
	// Distances from the middle are in 1/fine pixel, with 16 bits below that.
	change := int64(-s.dy * g.step * (fine << 16))
	for row := top; row < bottom; row++ {
		y := g.y + float64(row)*g.step - s.y
		left, right := s.across(y, reach)
		from, to := g.columns(s.x+left, s.x+right)
		if from >= to {
			continue
		}
		first := g.x + float64(from)*g.step - s.x
		distance := int64((y*s.dx - first*s.dy) * (fine << 16))
		for k := range g.n {
			p.along(g.planes[k].row(row)[from:to], distance, change, v[k].ink, v[k].edge)
		}
	}
}

func (p profile) along(pix []uint8, distance, change int64, ink, edge uint8) {
	for i, below := range pix {
		at := max(distance, -distance) >> 16
		if at < int64(len(p)) {
			pix[i] = p[at].mix(below, ink, edge)
		}
		distance += change
	}
}

// across returns where the row y below the segment's begin is inside of it, from the
// left to the right of that begin.
func (s *segment) across(y, reach float64) (left, right float64) {
	left, right = math.Inf(-1), math.Inf(1)
	if s.dy != 0 {
		middle, wide := y*s.middle, reach*s.steep
		left, right = middle-wide, middle+wide
	}
	if s.dx != 0 {
		end := y * s.ends
		left, right = max(left, end+min(s.apart, 0)), min(right, end+max(s.apart, 0))
	}
	return left, right
}
