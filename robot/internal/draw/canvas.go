// Package draw paints lines, panels and text on 4:2:0 pictures, in place. Nothing is
// ever written outside of the picture, whatever the coordinates, and nothing is
// allocated but for glyphs that were not drawn before.
//
// Coordinates are pixels, with 0, 0 for the upper left corner of the picture,
// wherever its image.Rectangle begins. Chroma has half the resolution: what is to
// have crisp colours begins and ends at even coordinates.
package draw

import (
	"image"
	"image/color"
)

// Colour is full-range YCbCr (JFIF), as [image.YCbCr] is.
type Colour struct{ Y, Cb, Cr uint8 }

// RGB returns the colour with these components.
func RGB(r, g, b uint8) Colour {
	y, cb, cr := color.RGBToYCbCr(r, g, b)
	return Colour{y, cb, cr}
}

// Canvas is a picture that is drawn on, by one goroutine at a time.
type Canvas struct {
	luma, cb, cr plane
	// odd is 1 where the picture begins with the second half of a chroma sample.
	odd image.Point
}

// plane is one component of a picture.
type plane struct {
	pix    []uint8
	stride int
	w, h   int
}

func (p plane) row(y int) []uint8 { return p.pix[y*p.stride:][:p.w] }

// maxSide bounds the pictures, so that no arithmetic on sizes overflows.
const maxSide = 1 << 14

// On returns the canvas of img, and false when it cannot be drawn on: it must be a
// complete 4:2:0 picture with sides of 1…16384. The strides may be any, and img may be
// a window into a larger picture, whose rectangle begins anywhere but below 0.
func On(img *image.YCbCr) (Canvas, bool) {
	if img == nil || img.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return Canvas{}, false
	}
	r := img.Rect
	if r.Empty() || r.Min.X < 0 || r.Min.Y < 0 || r.Dx() > maxSide || r.Dy() > maxSide {
		return Canvas{}, false
	}
	odd := image.Pt(r.Min.X&1, r.Min.Y&1)
	cw, ch := (r.Dx()+odd.X+1)/2, (r.Dy()+odd.Y+1)/2
	c := Canvas{
		luma: plane{img.Y, img.YStride, r.Dx(), r.Dy()},
		cb:   plane{img.Cb, img.CStride, cw, ch},
		cr:   plane{img.Cr, img.CStride, cw, ch},
		odd:  odd,
	}
	return c, c.luma.complete() && c.cb.complete() && c.cr.complete()
}

// complete reports whether the plane's memory holds all of it.
func (p plane) complete() bool {
	return p.stride >= p.w && len(p.pix) >= p.w && (len(p.pix)-p.w)/p.stride >= p.h-1
}

// Size returns the picture's width and height in pixels.
func (c Canvas) Size() (w, h int) { return c.luma.w, c.luma.h }

// Fill paints the part of r that lies inside the picture, and all chroma samples it
// touches. Opacity is 0 (nothing is changed) to 255.
func (c Canvas) Fill(r image.Rectangle, with Colour, opacity uint8) {
	r = r.Intersect(image.Rect(0, 0, c.luma.w, c.luma.h))
	if r.Empty() {
		return
	}
	c.luma.fill(r, with.Y, opacity)
	r = image.Rectangle{r.Min.Add(c.odd), r.Max.Add(c.odd)}
	half := image.Rect(r.Min.X/2, r.Min.Y/2, (r.Max.X+1)/2, (r.Max.Y+1)/2)
	c.cb.fill(half, with.Cb, opacity)
	c.cr.fill(half, with.Cr, opacity)
}

// fill takes a rectangle that is not empty and inside the plane.
func (p plane) fill(r image.Rectangle, value, opacity uint8) {
	first := p.row(r.Min.Y)[r.Min.X:r.Max.X]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.row(y)[r.Min.X:r.Max.X]
		switch {
		case opacity != opaque:
			for i, v := range row {
				row[i] = mix(v, value, uint32(opacity))
			}
		case y == r.Min.Y:
			for i := range row {
				row[i] = value
			}
		default:
			copy(row, first)
		}
	}
}

const opaque = 255

// mix returns the value between below and above; much, 0…255, is above's share.
func mix(below, above uint8, much uint32) uint8 {
	sum := uint32(below)*(opaque-much) + uint32(above)*much
	return uint8((sum + 127) / opaque) //nolint:gosec // G115: a mean of two bytes
}
