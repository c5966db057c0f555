package draw_test

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"wimz.dev/live/robot/internal/draw"
)

var (
	orange   = draw.RGB(255, 140, 0)
	black    = draw.Colour{Y: 16, Cb: 128, Cr: 128}
	typeface = draw.NewTypeface()
)

// grey is a picture of luma 100 and no colour.
func grey(r image.Rectangle) *image.YCbCr { return windowed(r, 0, 0) }

// windowed is a grey picture whose rows are longer than it needs them.
func windowed(r image.Rectangle, more, moreChroma int) *image.YCbCr {
	img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	cw, ch := (r.Max.X+1)/2-r.Min.X/2, (r.Max.Y+1)/2-r.Min.Y/2
	img.YStride, img.CStride = r.Dx()+more, cw+moreChroma
	img.Y = bytes.Repeat([]byte{100}, img.YStride*r.Dy())
	img.Cb = bytes.Repeat([]byte{128}, img.CStride*ch)
	img.Cr = bytes.Repeat([]byte{128}, img.CStride*ch)
	return img
}

func on(t testing.TB, img *image.YCbCr) draw.Canvas {
	t.Helper()
	c, ok := draw.On(img)
	if !ok {
		t.Fatal("cannot be drawn on")
	}
	return c
}

// pen draws in orange with a black edge.
func pen(width, edge int) *draw.Pen {
	p := draw.NewPen(width, edge)
	p.Ink, p.Edge = orange, black
	return &p
}

// is says whether a pixel has a colour, or all but.
func is(img *image.YCbCr, x, y int, want draw.Colour) bool {
	got := img.YCbCrAt(x+img.Rect.Min.X, y+img.Rect.Min.Y)
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }
	return near(got.Y, want.Y) && near(got.Cb, want.Cb) && near(got.Cr, want.Cr)
}

// TestShapes is every shape at places that were worked out by hand: what is there, what
// is just beside.
func TestShapes(t *testing.T) {
	untouched := draw.Colour{Y: 100, Cb: 128, Cr: 128}
	half := draw.Colour{
		Y: mean(orange.Y, untouched.Y), Cb: mean(orange.Cb, untouched.Cb), Cr: mean(orange.Cr, untouched.Cr),
	}
	type expected struct {
		x, y int
		draw.Colour
	}
	for name, c := range map[string]struct {
		draw func(draw.Canvas)
		want []expected
	}{
		"fill": {
			func(c draw.Canvas) { c.Fill(image.Rect(10, 20, 30, 40), orange, 255) },
			[]expected{
				{9, 20, untouched},
				{10, 19, untouched},
				{10, 20, orange},
				{29, 39, orange},
				{30, 39, untouched},
				{29, 40, untouched},
			},
		},
		"translucent": {
			func(c draw.Canvas) { c.Fill(image.Rect(0, 0, 8, 8), orange, 128) },
			[]expected{{0, 0, half}, {7, 7, half}, {8, 7, untouched}, {7, 8, untouched}},
		},
		"invisible": {
			func(c draw.Canvas) { c.Fill(image.Rect(0, 0, 8, 8), orange, 0) },
			[]expected{{4, 4, untouched}},
		},
		"frame": {
			func(c draw.Canvas) { c.Frame(image.Rect(10, 20, 50, 60), pen(4, 2)) },
			[]expected{
				{7, 40, untouched},
				{8, 40, black},
				{10, 40, orange},
				{13, 40, orange},
				{14, 40, black},
				{16, 40, untouched},
				{30, 17, untouched},
				{30, 18, black},
				{30, 20, orange},
				{30, 23, orange},
				{30, 24, black},
				{30, 26, untouched},
				{49, 59, orange},
				{50, 59, black},
				{49, 60, black},
				{52, 59, untouched},
				{46, 40, orange},
				{30, 56, orange},
			},
		},
		"small frame": {
			func(c draw.Canvas) { c.Frame(image.Rect(10, 20, 14, 24), pen(4, 2)) },
			[]expected{{8, 18, black}, {10, 20, orange}, {13, 23, orange}, {15, 25, black}, {16, 22, untouched}},
		},
		"dot": {
			func(c draw.Canvas) { c.Dot(32, 40, pen(12, 4)) },
			[]expected{
				{32, 40, orange},
				{28, 38, orange},
				{28, 40, orange},
				{32, 32, black},
				{24, 40, black},
				{32, 47, black},
				{20, 40, untouched},
				{32, 51, untouched},
				{24, 32, untouched},
			},
		},
		"level line": {
			func(c draw.Canvas) { c.Line(10, 40, 50, 40, pen(8, 4)) },
			[]expected{
				{12, 40, orange},
				{48, 40, orange},
				{30, 37, orange},
				{30, 42, orange},
				{30, 34, black},
				{30, 46, black},
				{7, 40, untouched},
				{52, 40, untouched},
				{30, 30, untouched},
				{30, 49, untouched},
			},
		},
		"upright line": {
			func(c draw.Canvas) { c.Line(40, 50, 40, 10, pen(8, 4)) },
			[]expected{{40, 12, orange}, {40, 48, orange}, {34, 30, black}, {46, 30, black}, {40, 7, untouched}, {40, 52, untouched}},
		},
		"slanting line": {
			func(c draw.Canvas) { c.Line(60, 10, 10, 60, pen(8, 4)) },
			[]expected{
				{58, 11, orange},
				{35, 35, orange},
				{12, 57, orange},
				{32, 34, orange},
				{39, 39, black},
				{30, 30, black},
				{28, 28, untouched},
				{43, 43, untouched},
				{5, 65, untouched},
			},
		},
		"long line": {
			func(c draw.Canvas) { c.Line(-900_000, -900_000, 900_000, 900_000, pen(8, 4)) },
			[]expected{{20, 20, orange}, {60, 60, orange}, {20, 36, untouched}, {46, 30, untouched}},
		},
		"line from nowhere": {
			func(c draw.Canvas) {
				c.Line(-1e30, 30, 1e30, 30, pen(8, 4))
				c.Line(30, float32(math.NaN()), 30, 60, pen(8, 4))
				c.Line(0, 30, float32(math.Inf(1)), 30, pen(8, 4))
			},
			[]expected{{30, 30, untouched}, {30, 58, untouched}, {3, 30, untouched}},
		},
		"no line": {
			func(c draw.Canvas) { c.Line(30, 30, 30, 30, pen(8, 4)) },
			[]expected{{30, 30, untouched}},
		},
		"the zero pen": {
			func(c draw.Canvas) { c.Line(0, 0, 60, 60, &draw.Pen{}); c.Dot(30, 30, &draw.Pen{}) },
			[]expected{{30, 30, untouched}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, img := range []*image.YCbCr{
				grey(image.Rect(0, 0, 80, 72)), windowed(image.Rect(0, 0, 80, 72), 13, 50),
				windowed(image.Rect(20, 8, 100, 80), 3, 1),
			} {
				c.draw(on(t, img))
				for _, e := range c.want {
					if !is(img, e.x, e.y, e.Colour) {
						t.Errorf("%v: pixel %d,%d is %v, want %v", img.Rect, e.x, e.y,
							img.YCbCrAt(img.Rect.Min.X+e.x, img.Rect.Min.Y+e.y), e.Colour)
					}
				}
			}
		})
	}
}

func mean(a, b uint8) uint8 { return uint8((int(a) + int(b) + 1) / 2) }

// TestLinesAreSmooth: as much ink as the line is long and wide, at every angle, in
// luma and in chroma.
func TestLinesAreSmooth(t *testing.T) {
	for degrees := range 360 {
		img := grey(image.Rect(0, 0, 200, 200))
		p := draw.NewPen(5, 0)
		p.Ink = draw.Colour{Y: 200, Cb: 228, Cr: 28}
		sin, cos := math.Sincos(float64(degrees) * math.Pi / 180)
		on(t, img).Line(100, 100, float32(100+80*cos), float32(100+80*sin), &p)
		luma, cb, cr := 0, 0, 0
		for _, v := range img.Y {
			luma += int(v) - 100
		}
		for i := range img.Cb {
			cb += int(img.Cb[i]) - 128
			cr += 128 - int(img.Cr[i])
		}
		for plane, area := range map[string]int{"luma": luma, "cb": 4 * cb, "cr": 4 * cr} {
			if area < 100*80*5*90/100 || area > 100*80*5*110/100 {
				t.Errorf("%d°: %s has the ink of %d pixels instead of 400", degrees, plane, area/100)
			}
		}
	}
}

func TestText(t *testing.T) {
	font := typeface.Size(32)
	for _, text := range []string{"Žofka", "Бобик", "Μπόμπι", "Ł", "…", "犬"} {
		img := grey(image.Rect(0, 0, 200, 64))
		on(t, img).Text(font, 10, 44, []byte(text), orange)
		marks, coloured, widest := 0, 0, 0
		for y := range 64 {
			for x := range 200 {
				c := img.YCbCrAt(x, y)
				if c.Y > orange.Y-3 {
					marks++
					widest = max(widest, x)
				}
				if c.Cb < 100 && c.Cr > 140 {
					coloured++
				}
			}
		}
		width := font.Width([]byte(text))
		if marks < 30 || coloured < marks/2 || widest < 10+width-14 || widest > 10+width {
			t.Errorf("%s: %d pixels of ink, %d of colour, up to %d of a width of %d", text, marks, coloured, widest, width)
		}
	}
	if a, b := font.Width([]byte("犬")), font.Width([]byte("\U0001f415")); a == 0 || a != b {
		t.Errorf("characters the font lacks are %d and %d wide", a, b)
	}
}

func TestFit(t *testing.T) {
	font := typeface.Size(20)
	text := []byte("Žofka Бобик")
	for width := range font.Width(text) + 10 {
		got := font.Fit(text, width)
		if !bytes.HasPrefix(text, got) || font.Width(got) > width || !bytes.Equal(bytes.ToValidUTF8(got, nil), got) {
			t.Fatalf("%d: %q is %d wide", width, got, font.Width(got))
		}
	}
	if got := font.Fit(text, font.Width(text)); !bytes.Equal(got, text) {
		t.Errorf("cut to %q though it fits", got)
	}
	if got := font.Fit(text, -5); len(got) != 0 {
		t.Errorf("%q in no room", got)
	}
}

// TestGlyphsAreBounded writes more characters than are remembered.
func TestGlyphsAreBounded(t *testing.T) {
	font := typeface.Size(8)
	img := grey(image.Rect(0, 0, 64, 16))
	for r := rune(0x20); r < 0x420; r++ {
		on(t, img).Text(font, 1, 12, []byte(string(r)), orange)
		if n := font.Remembered(); n > 512 {
			t.Fatalf("%d glyphs", n)
		}
	}
	if font.Remembered() == 0 {
		t.Error("none is remembered")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	img := grey(image.Rect(0, 0, 320, 180))
	font, p, text := typeface.Size(12), pen(4, 1), []byte("Žofka 93%")
	if n := testing.AllocsPerRun(20, func() {
		c, _ := draw.On(img)
		c.Fill(image.Rect(10, 10, 100, 100), orange, 100)
		c.Frame(image.Rect(10, 10, 100, 100), p)
		c.Line(0, 0, 300, 100, p)
		c.Dot(50, 50, p)
		c.Text(font, 10, 50, font.Fit(text, 100), black)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestPicturesThatCannotBeDrawnOn are those whose memory does not hold them.
func TestPicturesThatCannotBeDrawnOn(t *testing.T) {
	short := func(change func(*image.YCbCr)) *image.YCbCr {
		img := grey(image.Rect(0, 0, 64, 48))
		change(img)
		return img
	}
	for name, img := range map[string]*image.YCbCr{
		"nil":              nil,
		"zero":             {},
		"4:2:2":            image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio422),
		"luma":             short(func(i *image.YCbCr) { i.Y = i.Y[:len(i.Y)-1] }),
		"cb":               short(func(i *image.YCbCr) { i.Cb = i.Cb[:len(i.Cb)-1] }),
		"cr":               short(func(i *image.YCbCr) { i.Cr = i.Cr[:len(i.Cr)-1] }),
		"narrow":           short(func(i *image.YCbCr) { i.YStride = 63 }),
		"no chroma stride": short(func(i *image.YCbCr) { i.CStride = 0 }),
		"huge":             {Rect: image.Rect(math.MinInt, math.MinInt, math.MaxInt, math.MaxInt), SubsampleRatio: image.YCbCrSubsampleRatio420},
	} {
		if _, ok := draw.On(img); ok {
			t.Errorf("%s can be drawn on", name)
		}
	}
}

// FuzzNothingOutside draws every shape at any place on a window of a picture, and
// looks at all that is not the window.
func FuzzNothingOutside(f *testing.F) {
	f.Add(20, 30, 60, 50, float32(10), float32(20), float32(30), float32(40), 4, 1, "Žofka")
	f.Add(-1, -1, 1<<62, 1<<62, float32(-1e30), float32(1e30), float32(1e38), float32(0.5), 9, 9, "x")
	f.Add(math.MinInt, math.MaxInt, math.MaxInt, math.MinInt, float32(math.Inf(1)), float32(math.NaN()), float32(0), float32(0), -3, 7, "\xff犬")
	f.Add(0, 0, 0, 0, float32(-1e38), float32(-1e30), float32(1e38), float32(1e30), 4, 1, "")
	f.Add(63, 39, 64, 40, float32(63.9), float32(39.9), float32(64), float32(40), 1, 0, "")
	fonts := []*draw.Font{typeface.Size(0), typeface.Size(9), typeface.Size(30)}
	f.Fuzz(func(t *testing.T, x0, y0, x1, y1 int, ax, ay, bx, by float32, width, edge int, text string) {
		drawnOutside(t, x0, y0, x1, y1, ax, ay, bx, by, width%64, edge%64, text, fonts)
	})
}

func drawnOutside(t *testing.T, x0, y0, x1, y1 int, ax, ay, bx, by float32, width, edge int, text string, fonts []*draw.Font) {
	t.Helper()
	for _, at := range []image.Point{{20, 10}, {21, 11}} { // the second halves chroma samples
		whole := grey(image.Rect(0, 0, 100, 70))
		window, _ := whole.SubImage(image.Rect(at.X, at.Y, at.X+64, at.Y+40)).(*image.YCbCr)
		c := on(t, window)
		p := pen(width, edge)
		c.Fill(image.Rect(x0, y0, x1, y1), orange, uint8(edge))
		c.Fill(image.Rectangle{image.Pt(x0, y0), image.Pt(x1, y1)}, orange, 255)
		c.Frame(image.Rect(x0, y0, x1, y1), p)
		c.Line(ax, ay, bx, by, p)
		c.Line(bx, ay, ax, ay, p)
		c.Line(ax, by, ax, ay, p)
		c.Dot(ax, ay, p)
		for _, font := range fonts {
			c.Text(font, x0, y1, []byte(text), orange)
			c.Text(font, x1, y0, font.Fit([]byte(text), y1), orange)
		}
		for y := range 70 {
			for x := range 100 {
				if !image.Pt(x, y).In(window.Rect) && whole.Y[whole.YOffset(x, y)] != 100 {
					t.Fatalf("luma of %d,%d outside of %v was changed", x, y, window.Rect)
				}
			}
		}
		chroma := image.Rect(at.X/2, at.Y/2, (at.X+65)/2, (at.Y+41)/2)
		for i := range whole.Cb {
			if !image.Pt(i%whole.CStride, i/whole.CStride).In(chroma) && (whole.Cb[i] != 128 || whole.Cr[i] != 128) {
				t.Fatalf("chroma sample %d outside of %v was changed", i, chroma)
			}
		}
	}
}

// TestNothingOutside is the fuzz target with places near the picture.
func TestNothingOutside(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	fonts := []*draw.Font{typeface.Size(9), typeface.Size(40)}
	near := func() int { return random.IntN(160) - 50 }
	exact := func() float32 { return random.Float32()*160 - 50 }
	for range 300 {
		drawnOutside(t, near(), near(), near(), near(), exact(), exact(), exact(), exact(),
			random.IntN(20), random.IntN(10), "Žg犬", fonts)
	}
}

func BenchmarkLine(b *testing.B) {
	c := on(b, grey(image.Rect(0, 0, 1280, 720)))
	p := pen(3, 1)
	for b.Loop() {
		c.Line(600, 300, 660, 380, p)
	}
}
