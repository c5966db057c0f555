package testpattern

import (
	"image"
	"math"
)

// ball is a tennis ball, drawn once and copied into every picture.
type ball struct {
	radius int
	luma   []uint8 // (2*radius)², 0 where there is no ball
}

// The chroma of yellow felt.
const (
	feltCb = 62
	feltCr = 122
)

func newBall(radius int) *ball {
	radius = max(radius, 2)
	b := &ball{radius: radius, luma: make([]uint8, 4*radius*radius)}
	for i := range b.luma {
		x := (float64(i%(2*radius)) + 0.5 - float64(radius)) / float64(radius)
		y := (float64(i/(2*radius)) + 0.5 - float64(radius)) / float64(radius)
		b.luma[i] = feltLuma(x, y)
	}
	return b
}

// feltLuma is the brightness at a point of the unit disc, lit from the upper
// left, with a light seam; 0 outside the disc.
func feltLuma(x, y float64) uint8 {
	if x*x+y*y > 1 {
		return 0
	}
	seam := math.Abs(math.Hypot(x+1.2, y)-0.9) < 0.07 || math.Abs(math.Hypot(x-1.2, y)-0.9) < 0.07
	if seam {
		return 232
	}
	height := math.Sqrt(1 - x*x - y*y)
	return clampLuma(70 + 150*math.Max(0, 0.75*height-0.4*x-0.5*y))
}

// draw copies the ball into the picture; at is the upper left corner of its
// box, and what lies outside the picture is left out.
func (b *ball) draw(img *image.YCbCr, at image.Point) {
	side := 2 * b.radius
	box := image.Rect(at.X, at.Y, at.X+side, at.Y+side).Intersect(img.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := img.Y[img.YOffset(box.Min.X, y):][:box.Dx()]
		sprite := b.luma[(y-at.Y)*side+box.Min.X-at.X:][:box.Dx()]
		for x, v := range sprite {
			if v == 0 {
				continue
			}
			row[x] = v
			if x%2 == 0 && y%2 == 0 {
				c := img.COffset(box.Min.X+x, y)
				img.Cb[c], img.Cr[c] = feltCb, feltCr
			}
		}
	}
}
