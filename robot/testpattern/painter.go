package testpattern

import (
	"encoding/binary"
	"image"
	"math"
	"math/rand/v2"
)

// The camera's movement.
const (
	panPeriod   = 13e6 // microseconds for the view to swing left, right and back
	tiltPeriod  = 17e6 // microseconds for up, down and back
	rollPeriod  = 9e6  // microseconds for the ball to roll there and back
	hopPeriod   = 0.9e6
	grainLength = 1 << 14
)

// Painter draws the test picture: a landscape seen by a gently swaying camera
// with some sensor noise, a rolling ball, a clock and the stamp. What it draws
// depends on the stamp alone, so two painters make equal pictures.
//
// Several goroutines may draw with one Painter at once as long as their images
// all have the size that NewPainter was told.
type Painter struct {
	size  image.Point
	scene *image.YCbCr // larger than the picture by sway on each side
	sway  image.Point
	ball  *ball
	grain []byte // noise to add; every row of every picture starts elsewhere
}

// NewPainter returns a painter for pictures of the given size in pixels. It
// does the slow work, some 100 ms at 720p, in advance.
func NewPainter(width, height int) *Painter {
	p := &Painter{}
	p.prepare(image.Pt(width, height))
	return p
}

// Draw paints the picture of s into img, all of it, in place. The image must
// be 4:2:0; its strides may be any. Draw allocates nothing while the size of the
// image stays the one NewPainter was told; for another size it prepares itself
// anew. Pictures smaller than 160x90 get no stamp.
func (p *Painter) Draw(img *image.YCbCr, s Stamp) {
	if img.Rect.Size() != p.size {
		p.prepare(img.Rect.Size())
	}
	if p.size.X == 0 || p.size.Y == 0 {
		return
	}
	micros := s.Captured.UnixMicro()
	p.drawScene(img, image.Pt(
		swing(micros, panPeriod, p.sway.X),
		swing(micros, tiltPeriod, p.sway.Y),
	), uint64(s.Number))
	p.ball.draw(img, p.ballAt(micros).Add(img.Rect.Min))
	drawClock(img, s)
	s.draw(img)
}

func (p *Painter) prepare(size image.Point) {
	p.size = size
	p.sway = image.Pt(size.X/16, size.Y/32)
	p.scene = image.NewYCbCr(image.Rectangle{Max: size.Add(p.sway.Mul(2))}, image.YCbCrSubsampleRatio420)
	paintScene(p.scene, max(size.Y, 1))
	p.ball = newBall(size.Y / 12)
	p.grain = newGrain(grainLength + size.X)
}

// drawScene copies the part of the scene that begins at from, adding grain to
// the luma: eight pixels at a time, which cannot carry from one to the next
// because scene and grain together stay below 256.
func (p *Painter) drawScene(img *image.YCbCr, from image.Point, seed uint64) {
	w := p.size.X
	for y := range p.size.Y {
		dst := img.Y[y*img.YStride:][:w]
		src := p.scene.Y[(from.Y+y)*p.scene.YStride+from.X:][:w]
		start := scramble(seed<<16|uint64(y)) % grainLength
		addGrain(dst, src, p.grain[start:][:w])
	}
	cw, ch := (w+1)/2, (p.size.Y+1)/2
	for y := range ch {
		at := (from.Y/2+y)*p.scene.CStride + from.X/2
		copy(img.Cb[y*img.CStride:][:cw], p.scene.Cb[at:])
		copy(img.Cr[y*img.CStride:][:cw], p.scene.Cr[at:])
	}
}

func addGrain(dst, src, grain []byte) {
	for len(dst) >= 8 && len(src) >= 8 && len(grain) >= 8 {
		sum := binary.LittleEndian.Uint64(src) + binary.LittleEndian.Uint64(grain)
		binary.LittleEndian.PutUint64(dst, sum)
		dst, src, grain = dst[8:], src[8:], grain[8:]
	}
	for i := range dst {
		dst[i] = src[i] + grain[i]
	}
}

// ballAt is where the ball's box begins at a moment.
func (p *Painter) ballAt(micros int64) image.Point {
	side := 2 * p.ball.radius
	x := swing(micros, rollPeriod, (p.size.X-side)/2)
	hop := math.Abs(math.Sin(math.Pi * phase(micros, hopPeriod)))
	y := p.size.Y*3/4 - side - int(hop*float64(p.size.Y)/8)
	return image.Pt(x&^1, y&^1) // even, so that luma and chroma move together
}

// swing moves between 0 and 2*amplitude, once there and back per period.
func swing(micros int64, period float64, amplitude int) int {
	return int(math.Round(float64(amplitude) * (1 + math.Sin(2*math.Pi*phase(micros, period)))))
}

// phase is the time within the period, 0…1 (negative before 1970).
func phase(micros int64, period float64) float64 {
	return math.Mod(float64(micros), period) / period
}

// newGrain makes noise of 0…6 with a standard deviation of about 1.6, as of a
// sensor in a lit room; it never falls silent, so an encoder never runs idle.
func newGrain(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: noise for the eye, and the same one every time
	grain := make([]byte, n)
	for i := range grain {
		grain[i] = uint8(random.UintN(4) + random.UintN(4)) //nolint:gosec // G115: at most 6
	}
	return grain
}

// scramble spreads consecutive numbers (SplitMix64's finaliser).
func scramble(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
