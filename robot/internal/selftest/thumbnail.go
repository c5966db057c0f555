package selftest

import (
	"image"
	"math"
)

const (
	columns, rows = 16, 9
	pixelStep     = 4 // every fourth pixel of every fourth line is enough
)

// thumbnail is the mean luma of each cell of a picture.
type thumbnail [columns * rows]float64

func thumbnailOf(img *image.YCbCr) (t thumbnail) {
	r := img.Rect
	for row := range rows {
		for column := range columns {
			t[row*columns+column] = meanLuma(img, image.Rect(
				r.Min.X+r.Dx()*column/columns, r.Min.Y+r.Dy()*row/rows,
				r.Min.X+r.Dx()*(column+1)/columns, r.Min.Y+r.Dy()*(row+1)/rows))
		}
	}
	return t
}

func meanLuma(img *image.YCbCr, cell image.Rectangle) float64 {
	sum, n := 0, 0
	for y := cell.Min.Y; y < cell.Max.Y; y += pixelStep {
		line := img.Y[img.YOffset(cell.Min.X, y):]
		for x := 0; x < cell.Dx(); x += pixelStep {
			sum += int(line[x])
			n++
		}
	}
	return float64(sum) / float64(max(1, n))
}

// contrast is the standard deviation of the cells.
func (t *thumbnail) contrast() float64 {
	mean := t.mean()
	sum := 0.0
	for _, v := range t {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(t)))
}

func (t *thumbnail) mean() float64 {
	sum := 0.0
	for _, v := range t {
		sum += v
	}
	return sum / float64(len(t))
}

// likeness is the correlation of two pictures' cells, -1 to 1. Brightness and
// range do not matter to it; a picture of one shade is like no other.
func likeness(a, b *thumbnail) float64 {
	deviations := a.contrast() * b.contrast()
	if deviations == 0 {
		return 0
	}
	meanA, meanB, sum := a.mean(), b.mean(), 0.0
	for i := range a {
		sum += (a[i] - meanA) * (b[i] - meanB)
	}
	return sum / float64(len(a)) / deviations
}
