// Package i420 turns pictures into what encoders take: 4:2:0, full range, BT.601,
// as JFIF has it. Widths and heights are even.
package i420

import "image"

// FromLimited makes a plane full range that has 16…235 for 0…255, in place.
func FromLimited(luma, chroma []byte) {
	apply(luma, &lumaTable)
	apply(chroma, &chromaTable)
}

func apply(plane []byte, table *[256]byte) {
	for i, v := range plane {
		plane[i] = table[v]
	}
}

var (
	lumaTable   = stretch(16, 219, 0)    //nolint:gochecknoglobals // constant
	chromaTable = stretch(128, 224, 128) //nolint:gochecknoglobals // constant
)

// stretch makes a table that takes a range of values to one of 255.
func stretch(from, span, to int) (table [256]byte) {
	for v := range table {
		// One half is added so that the division rounds, and 512 so that nothing
		// is negative.
		scaled := ((v-from)*255*2+span+512*2*span)/(2*span) - 512 + to
		table[v] = uint8(min(max(scaled, 0), 255))
	}
	return table
}

// Halve fills dst with a 4:2:2 picture of the same size: two rows of chroma become
// one, their mean.
func Halve(dst, src *image.YCbCr) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	for y := range h {
		copy(dst.Y[y*dst.YStride:][:w], src.Y[y*src.YStride:])
	}
	for y := range h / 2 {
		above, below := 2*y*src.CStride, (2*y+1)*src.CStride
		mean(dst.Cb[y*dst.CStride:][:w/2], src.Cb[above:][:w/2], src.Cb[below:][:w/2])
		mean(dst.Cr[y*dst.CStride:][:w/2], src.Cr[above:][:w/2], src.Cr[below:][:w/2])
	}
}

func mean(dst, a, b []byte) {
	for i := range dst {
		dst[i] = uint8((uint(a[i]) + uint(b[i]) + 1) / 2) //nolint:gosec // G115: a mean of bytes
	}
}
