package testpattern_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
	"time"

	"wimz.dev/live/robot/testpattern"
)

// captured has microseconds that are no whole milliseconds.
var captured = time.Date(2026, 3, 4, 5, 6, 7, 891_234_000, time.UTC)

func picture(w, h int, s testpattern.Stamp) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	testpattern.NewPainter(w, h).Draw(img, s)
	return img
}

func TestStampIsReadBack(t *testing.T) {
	stamps := []testpattern.Stamp{
		{Number: 0, Captured: time.UnixMicro(0).UTC()},
		{Number: 1, Captured: captured},
		{Number: 1<<32 - 1, Captured: captured.Add(time.Microsecond)},
		{Number: 77, Captured: time.UnixMicro(-1).UTC()},
	}
	for _, size := range []image.Point{{1280, 720}, {960, 544}, {640, 368}, {1920, 1080}, {161, 91}, {160, 90}} {
		img := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		painter := testpattern.NewPainter(size.X, size.Y)
		for _, want := range stamps {
			painter.Draw(img, want)
			if got, err := testpattern.Read(img); err != nil || got != want {
				t.Errorf("%v: read %v, %v; want %v", size, got, err, want)
			}
		}
	}
}

func TestStampOfScaledPicture(t *testing.T) {
	want := testpattern.Stamp{Number: 123456, Captured: captured}
	source := picture(1280, 720, want)
	for _, size := range []image.Point{{960, 544}, {640, 368}, {320, 180}, {1920, 1080}, {427, 241}} {
		if got, err := testpattern.Read(scaled(source, size)); err != nil || got != want {
			t.Errorf("%v: read %v, %v; want %v", size, got, err, want)
		}
	}
}

// scaled takes the nearest pixel, the crudest scaler there is.
func scaled(src *image.YCbCr, size image.Point) *image.YCbCr {
	dst := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	for y := range size.Y {
		for x := range size.X {
			dst.Y[dst.YOffset(x, y)] = src.Y[src.YOffset(x*src.Rect.Dx()/size.X, y*src.Rect.Dy()/size.Y)]
		}
	}
	return dst
}

// The reader below is written from the package comment alone.
func TestLayoutIsAsDocumented(t *testing.T) {
	want := testpattern.Stamp{Number: 0xdeadbeef, Captured: captured}
	img := picture(1280, 720, want)
	var raw [16]byte
	for row := range 4 {
		for column := range 32 {
			if img.YCbCrAt((4+column)*32+16, (36+2*row)*16+16).Y >= 128 {
				bit := row*32 + column
				raw[bit/8] |= 1 << (7 - bit%8)
			}
		}
	}
	if n := binary.BigEndian.Uint32(raw[0:4]); n != want.Number {
		t.Errorf("number %#x", n)
	}
	if us := binary.BigEndian.Uint64(raw[4:12]); us != uint64(captured.UnixMicro()) {
		t.Errorf("captured %d", us)
	}
	sum := crc32.ChecksumIEEE(append([]byte("WIMZ"), raw[:12]...))
	if binary.BigEndian.Uint32(raw[12:]) != sum {
		t.Errorf("checksum %x, want %x", raw[12:], sum)
	}
}

func TestForeignPicturesHaveNoStamp(t *testing.T) {
	damaged := picture(1280, 720, testpattern.Stamp{Number: 9, Captured: captured})
	for y := 576; y < 608; y++ { // invert one cell
		for x := 128; x < 160; x++ {
			damaged.Y[damaged.YOffset(x, y)] ^= 0xff
		}
	}
	truncated := picture(1280, 720, testpattern.Stamp{Number: 9, Captured: captured})
	truncated.Y = truncated.Y[:len(truncated.Y)-1]

	pictures := map[string]*image.YCbCr{
		"nil":       nil,
		"empty":     {},
		"black":     plain(0),
		"grey":      plain(128),
		"white":     plain(255),
		"damaged":   damaged,
		"truncated": truncated,
		"too small": picture(159, 90, testpattern.Stamp{Number: 9, Captured: captured}),
	}
	for name, img := range pictures {
		if _, err := testpattern.Read(img); !errors.Is(err, testpattern.ErrNoStamp) {
			t.Errorf("%s: error %v, want ErrNoStamp", name, err)
		}
	}
}

func plain(luma uint8) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, 640, 360), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = luma
	}
	return img
}

// The plane is a small tile repeated, because the fuzzer is slow on large inputs.
func FuzzRead(f *testing.F) {
	f.Add([]byte{0, 255}, 160*90, 160, 0, 0, 160, 90)
	f.Add([]byte{7, 99, 201}, 160*90-1, 160, -4, -4, 156, 86)
	f.Add([]byte{1}, 100, 1<<62, -1<<62, -1<<62, 1<<62, 1<<62)
	f.Add([]byte{}, 0, 0, 0, 0, 1280, 720)
	f.Fuzz(func(t *testing.T, tile []byte, size, stride, x0, y0, x1, y1 int) {
		luma := make([]byte, max(0, size)%(1<<20))
		for i := range luma {
			if len(tile) > 0 {
				luma[i] = tile[i%len(tile)]
			}
		}
		img := &image.YCbCr{Y: luma, YStride: stride, Rect: image.Rect(x0, y0, x1, y1)}
		got, err := testpattern.Read(img)
		if err != nil {
			return
		}
		again, err := testpattern.Read(picture(160, 90, got))
		if err != nil || again != got {
			t.Errorf("read %v, then %v, %v", got, again, err)
		}
	})
}

// A picture is allowed to be a window into a larger one.
func TestDrawRespectsStrideAndOrigin(t *testing.T) {
	whole := image.NewYCbCr(image.Rect(0, 0, 800, 600), image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range whole.Y {
		whole.Y[i] = uint8(random.UintN(256))
	}
	before := append([]uint8(nil), whole.Y...)
	window, ok := whole.SubImage(image.Rect(20, 40, 660, 408)).(*image.YCbCr)
	if !ok {
		t.Fatal("not a YCbCr")
	}
	want := testpattern.Stamp{Number: 3, Captured: captured}
	testpattern.NewPainter(640, 368).Draw(window, want)
	if got, err := testpattern.Read(window); err != nil || got != want {
		t.Errorf("read %v, %v", got, err)
	}

	alone := picture(640, 368, want)
	for y := range 600 {
		for x := range 800 {
			got := whole.Y[whole.YOffset(x, y)]
			if !image.Pt(x, y).In(window.Rect) {
				if got != before[whole.YOffset(x, y)] {
					t.Fatalf("pixel %d,%d outside the window changed", x, y)
				}
				continue
			}
			if got != alone.Y[alone.YOffset(x-20, y-40)] {
				t.Fatalf("pixel %d,%d differs from the same picture alone", x, y)
			}
		}
	}
	if window.YCbCrAt(21, 41) == (color.YCbCr{}) {
		t.Error("nothing drawn")
	}
}
