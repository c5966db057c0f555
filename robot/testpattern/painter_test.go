package testpattern_test

import (
	"bytes"
	"image"
	"math"
	"testing"
	"time"

	"wimz.dev/live/robot/testpattern"
)

func TestPicturesMoveGently(t *testing.T) {
	painter := testpattern.NewPainter(1280, 720)
	previous := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	next := image.NewYCbCr(previous.Rect, previous.SubsampleRatio)
	for n := range uint32(8) {
		at := captured.Add(time.Duration(n) * time.Second / 15)
		painter.Draw(previous, testpattern.Stamp{Number: n, Captured: at})
		painter.Draw(next, testpattern.Stamp{Number: n + 1, Captured: at.Add(time.Second / 15)})
		if d := difference(previous, next); d < 1 || d > 12 {
			t.Errorf("frame %d: mean luma difference %.2f to the next, want 1…12", n, d)
		}
	}
}

func difference(a, b *image.YCbCr) float64 {
	sum := 0.0
	for i := range a.Y {
		sum += math.Abs(float64(a.Y[i]) - float64(b.Y[i]))
	}
	return sum / float64(len(a.Y))
}

func TestEqualStampsMakeEqualPictures(t *testing.T) {
	s := testpattern.Stamp{Number: 42, Captured: captured}
	a, b := picture(640, 368, s), picture(640, 368, s)
	if !bytes.Equal(a.Y, b.Y) || !bytes.Equal(a.Cb, b.Cb) || !bytes.Equal(a.Cr, b.Cr) {
		t.Error("two painters disagree")
	}
}

func TestPainterAdaptsToTheImage(t *testing.T) {
	painter := testpattern.NewPainter(1280, 720)
	for _, size := range []image.Point{{640, 368}, {0, 0}, {1, 1}, {2, 2}, {17, 33}, {1280, 720}} {
		img := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		painter.Draw(img, testpattern.Stamp{Number: 1, Captured: captured})
		if size.Y < 90 {
			continue // only shown not to panic
		}
		if _, err := testpattern.Read(img); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
}

func TestDrawAndReadAllocateNothing(t *testing.T) {
	painter := testpattern.NewPainter(640, 368)
	img := image.NewYCbCr(image.Rect(0, 0, 640, 368), image.YCbCrSubsampleRatio420)
	s := testpattern.Stamp{Number: 1, Captured: captured}
	if n := testing.AllocsPerRun(20, func() { painter.Draw(img, s) }); n != 0 {
		t.Errorf("Draw: %v allocations", n)
	}
	if n := testing.AllocsPerRun(20, func() { _, _ = testpattern.Read(img) }); n != 0 {
		t.Errorf("Read: %v allocations", n)
	}
}

func BenchmarkDraw720p(b *testing.B) {
	painter := testpattern.NewPainter(1280, 720)
	img := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	b.ReportAllocs()
	for b.Loop() {
		painter.Draw(img, testpattern.Stamp{Number: 1, Captured: captured})
	}
}

func BenchmarkRead720p(b *testing.B) {
	img := picture(1280, 720, testpattern.Stamp{Number: 1, Captured: captured})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = testpattern.Read(img)
	}
}

func BenchmarkNewPainter720p(b *testing.B) {
	for b.Loop() {
		testpattern.NewPainter(1280, 720)
	}
}
