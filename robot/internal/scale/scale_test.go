package scale_test

import (
	"fmt"
	"image"
	"math"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/scale"
	"wimz.dev/live/robot/testpattern"
)

func picture(w, h int) *image.YCbCr {
	return image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
}

// sizes are the sizes of a robot's pictures, and odd ones.
var sizes = []struct{ from, to image.Point }{
	{image.Pt(1280, 720), image.Pt(960, 544)},
	{image.Pt(1280, 720), image.Pt(640, 368)},
	{image.Pt(320, 192), image.Pt(160, 96)},
	{image.Pt(48, 34), image.Pt(38, 18)},
	{image.Pt(36, 20), image.Pt(36, 20)},
}

// TestSlopesStaySlopes scales pictures whose planes are slopes, each in another
// direction: a pixel's value tells where it was taken from.
func TestSlopesStaySlopes(t *testing.T) {
	slope := func(p image.Point, size image.Point, k int) float64 {
		x, y := (float64(p.X)+.5)/float64(size.X), (float64(p.Y)+.5)/float64(size.Y)
		return 10 + 230*[]float64{x, y, (2 - x - y) / 2}[k]
	}
	for _, c := range sizes {
		t.Run(fmt.Sprint(c.from, c.to), func(t *testing.T) {
			fill := func(img *image.YCbCr, check func(plane []byte, stride int, size image.Point, k int)) {
				check(img.Y, img.YStride, img.Rect.Max, 0)
				check(img.Cb, img.CStride, img.Rect.Max.Div(2), 1)
				check(img.Cr, img.CStride, img.Rect.Max.Div(2), 2)
			}
			src, dst := picture(c.from.X, c.from.Y), picture(c.to.X, c.to.Y)
			fill(src, func(plane []byte, stride int, size image.Point, k int) {
				for i := range plane {
					plane[i] = byte(math.Round(slope(image.Pt(i%stride, i/stride), size, k)))
				}
			})
			scale.New(c.from, c.to).Scale(dst, src)
			// At the edges there is half a pixel less to take from.
			small := min(c.from.X, c.from.Y, c.to.X, c.to.Y) / 2
			tolerance := 1.1 + 230/float64(small)/2
			fill(dst, func(plane []byte, stride int, size image.Point, k int) {
				for i, got := range plane {
					if want := slope(image.Pt(i%stride, i/stride), size, k); math.Abs(float64(got)-want) > tolerance {
						t.Fatalf("plane %d at %d, %d: %d, want %.1f", k, i%stride, i/stride, got, want)
					}
				}
			})
		})
	}
}

func TestFlatStaysFlat(t *testing.T) {
	for _, c := range sizes {
		for _, value := range []byte{0, 1, 127, 254, 255} {
			src, dst := picture(c.from.X, c.from.Y), picture(c.to.X, c.to.Y)
			for i := range src.Y {
				src.Y[i] = value
			}
			scale.New(c.from, c.to).Scale(dst, src)
			for i, got := range dst.Y {
				if got != value {
					t.Fatalf("%v to %v: pixel %d is %d, want %d", c.from, c.to, i, got, value)
				}
			}
		}
	}
}

// TestSameSizeIsACopy also shows that no pixel is moved.
func TestSameSizeIsACopy(t *testing.T) {
	src, dst := picture(64, 48), picture(64, 48)
	for i := range src.Y {
		src.Y[i] = byte(i * 7919)
	}
	scale.New(image.Pt(64, 48), image.Pt(64, 48)).Scale(dst, src)
	for i, got := range dst.Y {
		// The last row and column are taken almost, not quite, from themselves.
		if d := int(got) - int(src.Y[i]); d < -1 || d > 1 {
			t.Fatalf("pixel %d is %d, want %d", i, got, src.Y[i])
		}
	}
}

func TestStampCanBeRead(t *testing.T) {
	want := testpattern.Stamp{Number: 4711, Captured: time.UnixMicro(1700000000123456).UTC()}
	src := picture(1280, 720)
	testpattern.NewPainter(1280, 720).Draw(src, want)
	for _, c := range sizes[:2] {
		dst := picture(c.to.X, c.to.Y)
		scale.New(c.from, c.to).Scale(dst, src)
		if got, err := testpattern.Read(dst); err != nil || got != want {
			t.Errorf("%v: %v, %v", c.to, got, err)
		}
	}
}

func TestScaleAllocatesNothing(t *testing.T) {
	src, dst := picture(320, 192), picture(160, 96)
	s := scale.New(image.Pt(320, 192), image.Pt(160, 96))
	if n := testing.AllocsPerRun(10, func() { s.Scale(dst, src) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScale(b *testing.B) {
	for _, c := range sizes[:2] {
		b.Run(fmt.Sprintf("%dx%d", c.to.X, c.to.Y), func(b *testing.B) {
			src, dst := picture(c.from.X, c.from.Y), picture(c.to.X, c.to.Y)
			s := scale.New(c.from, c.to)
			b.ReportAllocs()
			for b.Loop() {
				s.Scale(dst, src)
			}
		})
	}
}
