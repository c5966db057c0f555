package i420_test

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"wimz.dev/live/robot/internal/camera/internal/i420"
)

// padded is a picture with room behind each row.
func padded(w, h int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	p, ok := image.NewYCbCr(image.Rect(0, 0, w+6, h), ratio).SubImage(image.Rect(0, 0, w, h)).(*image.YCbCr)
	if !ok {
		panic("no YCbCr")
	}
	return p
}

func near(a, b uint8) bool { return max(a, b)-min(a, b) <= 1 }

// TestFromBGR compares with the standard library, block by block: each is of one
// colour.
func TestFromBGR(t *testing.T) {
	const w, h = 64, 64
	random := rand.New(rand.NewPCG(1, 2))
	bgr := make([]byte, w*h*3)
	for y := range h / 2 {
		for x := range w / 2 {
			// The extremes of all three, then anything.
			b, g, r := byte(-(x & 1)), byte(-(x>>1)&1)*255, byte(-(x>>2)&1)*255
			if y > 0 {
				b, g, r = byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())
			}
			for i := range 4 {
				copy(bgr[((2*y+i/2)*w+2*x+i%2)*3:], []byte{b, g, r})
			}
		}
	}
	dst := padded(w, h, image.YCbCrSubsampleRatio420)
	i420.FromBGR(dst, bgr)
	for y := range h {
		for x := range w {
			pixel := bgr[(y*w+x)*3:]
			ly, cb, cr := color.RGBToYCbCr(pixel[2], pixel[1], pixel[0])
			if got := dst.YCbCrAt(x, y); !near(got.Y, ly) || !near(got.Cb, cb) || !near(got.Cr, cr) {
				t.Fatalf("%v at %d, %d became %v, want %v", pixel[:3], x, y, got, color.YCbCr{Y: ly, Cb: cb, Cr: cr})
			}
		}
	}
}

func TestFromBGRTakesTheMeanOfFour(t *testing.T) {
	dst := padded(2, 2, image.YCbCrSubsampleRatio420)
	i420.FromBGR(dst, []byte{255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255}) // blue above red
	wantCb, wantCr := (255+85)/2, (107+255)/2
	if !near(dst.Cb[0], uint8(wantCb)) || !near(dst.Cr[0], uint8(wantCr)) || dst.Y[0] != 29 || dst.Y[dst.YStride] != 76 {
		t.Errorf("got %v %v, luma %v", dst.Cb[0], dst.Cr[0], dst.Y)
	}
}

func TestFromLimited(t *testing.T) {
	luma := []byte{0, 16, 126, 235, 255}
	chroma := []byte{0, 16, 128, 240, 255}
	i420.FromLimited(luma, chroma)
	if !bytes.Equal(luma, []byte{0, 0, 128, 255, 255}) || !bytes.Equal(chroma, []byte{0, 1, 128, 255, 255}) {
		t.Errorf("got %v, %v", luma, chroma)
	}
}

func TestHalve(t *testing.T) {
	src, dst := padded(4, 4, image.YCbCrSubsampleRatio422), padded(4, 4, image.YCbCrSubsampleRatio420)
	for y := range 4 {
		for x := range 4 {
			src.Y[src.YOffset(x, y)] = uint8(16*y + x)
			src.Cb[src.COffset(x, y)] = uint8(100 + 10*y + x/2)
			src.Cr[src.COffset(x, y)] = uint8(200 - 10*y - x/2)
		}
	}
	i420.Halve(dst, src)
	for y := range 4 {
		for x := range 4 {
			want := color.YCbCr{Y: uint8(16*y + x), Cb: uint8(105 + 20*(y/2) + x/2), Cr: uint8(195 - 20*(y/2) - x/2)}
			if got := dst.YCbCrAt(x, y); got != want {
				t.Errorf("%d, %d: %v, want %v", x, y, got, want)
			}
		}
	}
}

func BenchmarkFromBGR720p(b *testing.B) {
	dst := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	bgr := make([]byte, 1280*720*3)
	b.ReportAllocs()
	for b.Loop() {
		i420.FromBGR(dst, bgr)
	}
}

func BenchmarkFromLimited720p(b *testing.B) {
	plane := make([]byte, 1280*720*3/2)
	for b.Loop() {
		i420.FromLimited(plane[:1280*720], plane[1280*720:])
	}
}
