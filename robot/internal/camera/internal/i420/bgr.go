package i420

import "image"

// One sum has all three components of a pixel, each a fixed-point number with 12
// bits behind the point: Cb in bits 0…21, Cr in 22…43, Y in 44…63. So three look-ups
// and two additions convert a pixel, and four sums added are the chroma of four
// pixels; their luma overflows at the top, where nothing is.
const (
	one     = 1 << 12
	crShift = 22
	yShift  = 44
)

// Weights of BT.601 (ITU-R BT.601-7, 2.5.1, scaled as in JFIF). Those of a
// component add up to one, or one half on either side of zero.
const (
	yr, yg, yb = 1225, 2404, 467
	ur, ug, ub = 691, 1357, 2048
	vr, vg, vb = 2048, 1715, 333
)

// The sums of a pixel's blue, green and red.
var blues, greens, reds = sums() //nolint:gochecknoglobals // constant

func sums() (blue, green, red [256]uint64) {
	for i := range uint64(256) {
		down := 255 - i // for weights that are taken off; what they add up to is zero's 128
		blue[i] = yb*i<<yShift + vb*down<<crShift + ub*i
		green[i] = yg*i<<yShift + vg*down<<crShift + ug*down
		// All that rounds is added once: a half, and another because the middle of
		// 0…255 is no whole number.
		red[i] = (yr*i+one/2)<<yShift + (vr*i+one-1)<<crShift + ur*down + one - 1
	}
	return blue, green, red
}

// FromBGR fills dst with a picture of the same size that has three bytes for each
// pixel, blue first, and no gaps between rows. A chroma sample is the mean of its
// four pixels.
func FromBGR(dst *image.YCbCr, bgr []byte) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	for y := 0; y < h; y += 2 {
		rows := bgr[y*w*3:][:6*w]
		fromTwoRows(
			dst.Y[y*dst.YStride:][:w], dst.Y[(y+1)*dst.YStride:][:w],
			dst.Cb[y/2*dst.CStride:][:w/2], dst.Cr[y/2*dst.CStride:][:w/2],
			rows[:3*w], rows[3*w:],
		)
	}
}

func fromTwoRows(upper, lower, cb, cr, above, below []byte) {
	for x := range cb {
		p, q := (*[6]byte)(above[6*x:]), (*[6]byte)(below[6*x:])
		a := blues[p[0]] + greens[p[1]] + reds[p[2]]
		b := blues[p[3]] + greens[p[4]] + reds[p[5]]
		c := blues[q[0]] + greens[q[1]] + reds[q[2]]
		d := blues[q[3]] + greens[q[4]] + reds[q[5]]
		u, l := (*[2]byte)(upper[2*x:]), (*[2]byte)(lower[2*x:])
		u[0], u[1] = uint8(a>>(yShift+12)), uint8(b>>(yShift+12))
		l[0], l[1] = uint8(c>>(yShift+12)), uint8(d>>(yShift+12))
		sum := a + b + c + d
		cb[x], cr[x] = uint8(sum>>(12+2)), uint8(sum>>(crShift+12+2)) //nolint:gosec // G115: bits of a sum
	}
}
