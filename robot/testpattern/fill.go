package testpattern

import "image"

// neutral is the chroma of grey.
const neutral = 128

// fillLuma sets the luma of the part of r that lies inside the picture.
func fillLuma(img *image.YCbCr, r image.Rectangle, luma uint8) {
	r = r.Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Y[img.YOffset(r.Min.X, y):][:r.Dx()]
		for x := range row {
			row[x] = luma
		}
	}
}

// fillChroma sets the colour of the part of r that lies inside the picture,
// widened to whole chroma samples.
func fillChroma(img *image.YCbCr, r image.Rectangle, cb, cr uint8) {
	r = r.Intersect(img.Rect)
	n := (r.Dx() + 1) / 2
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		at := img.COffset(r.Min.X, y)
		cbs, crs := img.Cb[at:][:n], img.Cr[at:][:n]
		for x := range cbs {
			cbs[x], crs[x] = cb, cr
		}
	}
}
