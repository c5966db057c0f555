package overlay_test

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/overlay"
	"wimz.dev/live/robot/testpattern"
)

var (
	everything = config.Default().Overlay
	captured   = time.Date(2026, 3, 4, 5, 6, 7, 891_234_000, time.UTC)
)

// dog is one that sits, seen from the side: its pose lies within the box.
func dog(name, behaviour string, b detect.Box) detect.Object {
	places := [detect.PoseLen][2]float32{
		{0.86, 0.20},
		{0.80, 0.12},
		{0.76, 0.12},
		{0.70, 0.08},
		{0.64, 0.10},
		{0.62, 0.38},
		{0.54, 0.40},
		{0.68, 0.62},
		{0.52, 0.64},
		{0.70, 0.90},
		{0.50, 0.92},
		{0.24, 0.58},
		{0.18, 0.56},
		{0.34, 0.74},
		{0.12, 0.74},
		{0.30, 0.92},
		{0.08, 0.92},
	}
	o := detect.Object{Class: "dog", Name: name, Confidence: 0.93, Behaviour: behaviour, Box: b}
	for i, p := range places {
		o.Pose = append(o.Pose, detect.Keypoint{
			X: b.X + p[0]*b.W, Y: b.Y + p[1]*b.H, Confidence: 0.3 + float32(i)/50,
		})
	}
	o.Pose[4].Confidence = 0.29 // the far ear is guessed
	return o
}

// pack is five dogs all over the picture.
func pack() detect.Set {
	return detect.Set{At: captured, Mode: "Training", Objects: []detect.Object{
		dog("Žofka", "sit", detect.Box{X: 0.05, Y: 0.2, W: 0.25, H: 0.5}),
		dog("Бобик", "bark", detect.Box{X: 0.35, Y: 0.3, W: 0.2, H: 0.35}),
		dog("Μπόμπι", "lie down", detect.Box{X: 0.6, Y: 0.25, W: 0.25, H: 0.45}),
		dog("", "", detect.Box{X: 0.8, Y: 0.5, W: 0.3, H: 0.45}),
		dog("Rex", "stand", detect.Box{X: 0.4, Y: -0.1, W: 0.15, H: 0.3}),
	}}
}

// painter returns a painter of a set.
func painter(settings config.Overlay, s detect.Set) *overlay.Painter {
	var board detect.Board
	board.Put(s)
	return overlay.New(settings, &board)
}

// meadow is a picture with light and dark, coloured parts and no noise.
func meadow(r image.Rectangle) *image.YCbCr {
	img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	w, h := r.Dx(), r.Dy()
	for x := range w {
		horizon := int(float64(h) * (0.45 + 0.08*math.Sin(9*float64(x)/float64(w))))
		for y := range h {
			c := color.YCbCr{Y: uint8(215 - 60*y/h), Cb: uint8(150 - 20*y/h), Cr: 112}
			if y > horizon {
				c = color.YCbCr{Y: uint8(150 - 110*y/h), Cb: 100, Cr: 112}
			}
			chroma := img.COffset(r.Min.X+x, r.Min.Y+y)
			img.Y[y*img.YStride+x], img.Cb[chroma], img.Cr[chroma] = c.Y, c.Cb, c.Cr
		}
	}
	return img
}

func size(w, h int) image.Rectangle { return image.Rect(0, 0, w, h) }

// changed returns the part of a picture that is not as in another of the same shape.
func changed(a, b *image.YCbCr) (r image.Rectangle) {
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			luma, chroma := y*a.YStride+x, y/2*a.CStride+x/2
			if a.Y[luma] != b.Y[luma] || a.Cb[chroma] != b.Cb[chroma] || a.Cr[chroma] != b.Cr[chroma] {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestOldDetectionsAreNotDrawn(t *testing.T) {
	onlyClock := everything
	onlyClock.Boxes, onlyClock.Pose, onlyClock.Mode = false, false, false
	plain := meadow(size(640, 368))
	painter(onlyClock, pack()).Draw(plain, captured)
	for age, drawn := range map[time.Duration]bool{
		0: true, 400 * time.Millisecond: true, 500 * time.Millisecond: true, 501 * time.Millisecond: false,
		time.Hour: false, -30 * time.Millisecond: true, -time.Hour: false,
	} {
		s := pack()
		s.At = captured.Add(-age)
		img := meadow(size(640, 368))
		painter(everything, s).Draw(img, captured)
		if got := !changed(img, plain).Empty(); got != drawn {
			t.Errorf("drawn when %v old: %v", age, got)
		}
	}
}

// TestNewDetectionsReplaceOldOnes: what was drawn is on the picture, not in the
// painter.
func TestNewDetectionsReplaceOldOnes(t *testing.T) {
	var board detect.Board
	p := overlay.New(everything, &board)
	board.Put(pack())
	p.Draw(meadow(size(640, 368)), captured)
	board.Put(detect.Set{At: captured})
	img, plain := meadow(size(640, 368)), meadow(size(640, 368))
	p.Draw(img, captured)
	painter(everything, detect.Set{}).Draw(plain, captured)
	if r := changed(img, plain); !r.Empty() {
		t.Errorf("something is left at %v", r)
	}
}

// TestBoxIsWhereItWasSeen looks at luma and chroma along the four sides, in pictures
// whose rows are longer than they need be.
func TestBoxIsWhereItWasSeen(t *testing.T) {
	boxes := config.Overlay{Enabled: true, Boxes: true}
	set := detect.Set{At: captured, Objects: []detect.Object{{Class: "dog", Box: detect.Box{X: 0.25, Y: 0.5, W: 0.5, H: 0.25}}}}
	for _, r := range []image.Rectangle{size(1280, 720), size(640, 368), size(320, 180)} {
		img := image.NewYCbCr(r.Add(image.Pt(32, 16)).Union(size(1, 1)), image.YCbCrSubsampleRatio420)
		img, _ = img.SubImage(r.Add(image.Pt(32, 16))).(*image.YCbCr)
		for y := range r.Dy() {
			for x := range r.Dx() {
				img.Cb[img.COffset(x+32, y+16)], img.Cr[img.COffset(x+32, y+16)] = 128, 128
			}
		}
		painter(boxes, set).Draw(img, captured)
		w, h := r.Dx(), r.Dy()
		orange := func(x, y int) bool {
			c := img.YCbCrAt(32+x, 16+y)
			return c.Y > 150 && c.Cb < 90 && c.Cr > 150
		}
		for name, p := range map[string]image.Point{
			"left": {w / 4, h * 5 / 8}, "right": {w*3/4 - 1, h * 5 / 8}, "top": {w * 5 / 8, h / 2}, "bottom": {w * 5 / 8, h*3/4 - 1},
		} {
			if !orange(p.X, p.Y) {
				t.Errorf("%v: %s side at %v is %v", r.Size(), name, p, img.YCbCrAt(32+p.X, 16+p.Y))
			}
		}
		for _, p := range []image.Point{{w/4 - 4, h * 5 / 8}, {w / 2, h * 5 / 8}, {w*3/4 + 4, h * 5 / 8}, {w * 5 / 8, h*3/4 + 4}} {
			if c := img.YCbCrAt(32+p.X, 16+p.Y); c != (color.YCbCr{Cb: 128, Cr: 128}) {
				t.Errorf("%v: beside the box, at %v, is %v", r.Size(), p, c)
			}
		}
	}
}

// TestSettings: each draws its own, in its own place.
func TestSettings(t *testing.T) {
	corner := func(r image.Rectangle, x, y int) bool { return r.Overlaps(image.Rect(x, y, x+160, y+40)) }
	for name, c := range map[string]struct {
		settings config.Overlay
		where    func(r image.Rectangle) bool
	}{
		"off":     {config.Overlay{Clock: true, Mode: true, Boxes: true, Pose: true}, image.Rectangle.Empty},
		"nothing": {config.Overlay{Enabled: true}, image.Rectangle.Empty},
		"clock":   {config.Overlay{Enabled: true, Clock: true}, func(r image.Rectangle) bool { return r.In(image.Rect(400, 0, 640, 40)) && corner(r, 480, 0) }},
		"mode":    {config.Overlay{Enabled: true, Mode: true}, func(r image.Rectangle) bool { return r.In(image.Rect(0, 0, 160, 40)) && corner(r, 0, 0) }},
		"boxes":   {config.Overlay{Enabled: true, Boxes: true}, func(r image.Rectangle) bool { return r.Min.X >= 29 && r.Max.X == 640 && r.Min.Y == 0 }},
		"pose":    {config.Overlay{Enabled: true, Pose: true}, func(r image.Rectangle) bool { return r.Min.X > 32 && r.Max.X == 640 }},
	} {
		t.Run(name, func(t *testing.T) {
			img := meadow(size(640, 368))
			painter(c.settings, pack()).Draw(img, captured)
			if r := changed(img, meadow(size(640, 368))); !c.where(r) {
				t.Errorf("drawn at %v", r)
			}
		})
	}
}

// TestStampStaysReadable: whoever measures the video reads it below the overlay.
func TestStampStaysReadable(t *testing.T) {
	for _, r := range []image.Rectangle{size(1280, 720), size(960, 544), size(640, 368), size(320, 180), size(160, 96)} {
		img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
		want := testpattern.Stamp{Number: 7, Captured: captured.Truncate(time.Microsecond)}
		testpattern.NewPainter(r.Dx(), r.Dy()).Draw(img, want)
		s := detect.Set{At: captured, Mode: strings.Repeat("Training ", 7)}
		painter(everything, s).Draw(img, captured)
		if got, err := testpattern.Read(img); err != nil || got != want {
			t.Errorf("%v: read %v, %v", r.Size(), got, err)
		}
	}
}

func TestClassesHaveTheirColours(t *testing.T) {
	colours := map[color.YCbCr]bool{}
	for _, class := range []string{"dog", "person", "cat", "ball", "bowl", ""} {
		var first color.YCbCr
		for i := range 2 {
			img := meadow(size(320, 180))
			painter(config.Overlay{Enabled: true, Boxes: true}, detect.Set{At: captured, Objects: []detect.Object{
				{Class: class, Name: "x", Confidence: float32(i), Box: detect.Box{X: 0.25, Y: 0.5, W: 0.5, H: 0.25}},
			}}).Draw(img, captured)
			if c := img.YCbCrAt(80, 112); i == 0 {
				first = c
			} else if c != first {
				t.Errorf("%q is %v, then %v", class, first, c)
			}
		}
		colours[first] = true
	}
	if len(colours) < 4 {
		t.Errorf("6 classes have %d colours", len(colours))
	}
}

// TestAnythingMayBeDetected draws what no detector should send, on pictures of all
// sizes.
func TestAnythingMayBeDetected(_ *testing.T) {
	wild := []float32{
		0, 1, -1, 0.5, 2, -1e30, 1e30, math.MaxFloat32, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
	}
	random := rand.New(rand.NewPCG(1, 2))
	wildly := func() float32 { return wild[random.IntN(len(wild))] }
	var board detect.Board
	p := overlay.New(everything, &board)
	for _, r := range []image.Rectangle{
		size(1, 1), size(2, 2), size(3, 5), size(16, 16), size(200, 1), size(1, 200), size(161, 91), image.Rect(7, 5, 330, 200), {},
	} {
		for range 50 {
			o := dog(strings.Repeat("Žofka", 30), strings.Repeat("sit ", 40), detect.Box{X: wildly(), Y: wildly(), W: wildly(), H: wildly()})
			o.Confidence = wildly()
			for i := range o.Pose {
				o.Pose[i] = detect.Keypoint{X: wildly(), Y: wildly(), Confidence: wildly()}
			}
			short := o
			short.Pose = o.Pose[:3]
			board.Put(detect.Set{At: captured, Mode: strings.Repeat("Training ", 30), Objects: []detect.Object{o, short}})
			img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
			p.Draw(img, captured)
			p.Placeholder(img, strings.Repeat("Buffering… ", 30), time.Duration(random.Int64()))
		}
	}
	p.Draw(nil, captured)
	p.Placeholder(&image.YCbCr{}, "x", 0)
}

func TestNothingIsAllocated(t *testing.T) {
	p := painter(everything, pack())
	img, small := meadow(size(640, 368)), meadow(size(320, 180))
	if n := testing.AllocsPerRun(20, func() {
		p.Draw(img, captured)
		p.Draw(small, captured)
		p.Placeholder(img, "No camera feed", 12*time.Second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestManyMayDraw is for the race detector.
func TestManyMayDraw(_ *testing.T) {
	var board detect.Board
	p := overlay.New(everything, &board)
	var painters sync.WaitGroup
	for i := range 4 {
		painters.Go(func() {
			for n := range 3 {
				board.Put(pack())
				img := meadow(size(160+16*i, 96+16*n))
				p.Draw(img, captured)
				p.Placeholder(img, "Buffering…", time.Duration(n)*time.Hour)
			}
		})
	}
	painters.Wait()
}

func BenchmarkDraw(b *testing.B) {
	for name, r := range map[string]image.Rectangle{
		"1280x720": size(1280, 720), "960x544": size(960, 544), "640x368": size(640, 368),
	} {
		b.Run(name, func(b *testing.B) {
			p := painter(everything, pack())
			img := meadow(r)
			p.Draw(img, captured)
			b.ReportAllocs()
			for b.Loop() {
				p.Draw(img, captured)
			}
		})
	}
}
