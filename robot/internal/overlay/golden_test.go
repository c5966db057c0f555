package overlay_test

import (
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/config"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

const goldenDir = "../../../testdata/overlay"

// TestGoldenPictures: a picture may differ a little, since the compiler may round
// otherwise on another machine.
func TestGoldenPictures(t *testing.T) {
	no := config.Overlay{}
	for name, picture := range map[string]func() *image.YCbCr{
		"pack_1280x720": func() *image.YCbCr {
			img := meadow(size(1280, 720))
			painter(everything, pack()).Draw(img, captured)
			return cut(img, image.Rect(32, 80, 672, 520))
		},
		"pack_320x180": func() *image.YCbCr {
			img := meadow(size(320, 180))
			painter(everything, pack()).Draw(img, captured)
			return img
		},
		"placeholder_320x180": func() *image.YCbCr {
			img := meadow(size(320, 180))
			painter(no, pack()).Placeholder(img, "No camera feed", 12900*time.Millisecond)
			return img
		},
		"placeholder_640x368": func() *image.YCbCr {
			img := meadow(size(640, 368))
			painter(no, pack()).Placeholder(img, "Buffering…", -1)
			return img
		},
	} {
		t.Run(name, func(t *testing.T) { compare(t, filepath.Join(goldenDir, name+".png"), picture()) })
	}
}

func cut(img *image.YCbCr, r image.Rectangle) *image.YCbCr {
	part, _ := img.SubImage(r).(*image.YCbCr)
	return part
}

// compare allows a difference of 12 of 255 everywhere, and of any size for one pixel
// in a thousand.
func compare(t *testing.T, path string, img *image.YCbCr) {
	t.Helper()
	if *update {
		if err := save(path, img); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was read
	want, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds().Size() != img.Rect.Size() {
		t.Fatalf("the picture is %v, the golden one %v", img.Rect.Size(), want.Bounds().Size())
	}
	different := 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if distance(img.At(img.Rect.Min.X+x, img.Rect.Min.Y+y), want.At(x, y)) > 12 {
				different++
			}
		}
	}
	if allowed := img.Rect.Dx() * img.Rect.Dy() / 1000; different > allowed {
		t.Errorf("%d pixels differ from %s, %d may; look at it after make golden", different, path, allowed)
	}
}

// distance is the largest difference of two colours' components.
func distance(a, b interface{ RGBA() (r, g, b, a uint32) }) uint32 {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	var most uint32
	for _, pair := range [...][2]uint32{{ar, br}, {ag, bg}, {ab, bb}} {
		most = max(most, pair[0]>>8-min(pair[0]>>8, pair[1]>>8), pair[1]>>8-min(pair[0]>>8, pair[1]>>8))
	}
	return most
}

func save(path string, img image.Image) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err = png.Encode(file, img); err != nil {
		return err
	}
	return file.Close()
}
