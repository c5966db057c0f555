package draw

import (
	"fmt"
	"image"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// maxGlyphs bounds what a font remembers. All are forgotten when there are more.
const maxGlyphs = 512

// missing stands for the characters the font lacks.
const missing = '□'

// Typeface is Go Medium, which has the characters of WGL4: the Latin, Greek and
// Cyrillic scripts of Europe. For every other character, such as CJK or emoji, it
// shows an empty box.
type Typeface struct{ font *opentype.Font }

// NewTypeface reads the font that is part of the program.
func NewTypeface() Typeface {
	parsed, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		panic(fmt.Sprintf("draw: the built-in font: %v", err)) // a constant
	}
	return Typeface{parsed}
}

// Font is a typeface in one size. One goroutine at a time uses it.
type Font struct {
	Ascent, Descent int // pixels above and below the baseline
	face            font.Face
	glyphs          map[rune]glyph
}

// glyph is a character's mask.
type glyph struct {
	mask    []uint8
	bounds  image.Rectangle // of the mask, around the pen's position
	advance fixed.Int26_6
}

// Size returns the font whose em is so many pixels, at least 4.
func (t Typeface) Size(pixels int) *Font {
	face, err := opentype.NewFace(t.font, &opentype.FaceOptions{
		Size: float64(max(pixels, 4)), DPI: 72, Hinting: font.HintingFull,
	})
	if err != nil {
		panic(fmt.Sprintf("draw: the built-in font: %v", err)) // it has no unusable sizes
	}
	m := face.Metrics()
	return &Font{Ascent: m.Ascent.Ceil(), Descent: m.Descent.Ceil(), face: face, glyphs: map[rune]glyph{}}
}

func (f *Font) glyph(r rune) glyph {
	g, ok := f.glyphs[r]
	if !ok {
		g = f.rasterise(r)
		if len(f.glyphs) >= maxGlyphs {
			clear(f.glyphs)
		}
		f.glyphs[r] = g
	}
	return g
}

func (f *Font) rasterise(r rune) glyph {
	bounds, mask, at, advance, ok := f.face.Glyph(fixed.Point26_6{}, r)
	if !ok && !unicode.In(r, unicode.Mn, unicode.Cf) { // these go with another
		bounds, mask, at, advance, ok = f.face.Glyph(fixed.Point26_6{}, missing)
	}
	alpha, isAlpha := mask.(*image.Alpha)
	if !ok || !isAlpha {
		return glyph{}
	}
	g := glyph{mask: make([]uint8, 0, bounds.Dx()*bounds.Dy()), bounds: bounds, advance: advance}
	for y := range bounds.Dy() {
		g.mask = append(g.mask, alpha.Pix[alpha.PixOffset(at.X, at.Y+y):][:bounds.Dx()]...)
	}
	return g
}

// Width returns how many pixels a text is wide.
func (f *Font) Width(text []byte) int {
	var width fixed.Int26_6
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		width += f.glyph(r).advance
		text = text[n:]
	}
	return width.Ceil()
}

// Fit returns the longest beginning of a text that is at most so many pixels wide,
// and the text itself if it is.
func (f *Font) Fit(text []byte, width int) []byte {
	limit, end := fixed.I(width), 0
	for end < len(text) {
		r, n := utf8.DecodeRune(text[end:])
		if limit -= f.glyph(r).advance; limit < 0 {
			break
		}
		end += n
	}
	return text[:end]
}

// Text writes a text, which begins at x and stands on the baseline.
func (c Canvas) Text(f *Font, x, baseline int, text []byte, with Colour) {
	pen := fixed.I(0)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		g := f.glyph(r)
		c.glyph(g, image.Pt(x+pen.Round(), baseline), with)
		pen += g.advance
		text = text[n:]
	}
}

func (c Canvas) glyph(g glyph, at image.Point, with Colour) {
	box := g.bounds.Add(at)
	r := box.Intersect(image.Rect(0, 0, c.luma.w, c.luma.h))
	if r.Empty() {
		return
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.luma.row(y)[r.Min.X:r.Max.X]
		mask := g.mask[(y-box.Min.Y)*box.Dx()+r.Min.X-box.Min.X:][:len(row)]
		for i, m := range mask {
			if m > 0 {
				row[i] = mix(row[i], with.Y, uint32(m))
			}
		}
	}
	c.tint(g, box, r, with)
}

// tint mixes the colour into the chroma samples that the part r of a glyph touches,
// each by the mean of its four pixels.
func (c Canvas) tint(g glyph, box, r image.Rectangle, with Colour) {
	x0, x1 := (r.Min.X+c.odd.X)/2, (r.Max.X-1+c.odd.X)/2
	for cy := (r.Min.Y + c.odd.Y) / 2; cy <= (r.Max.Y-1+c.odd.Y)/2; cy++ {
		cb, cr := c.cb.row(cy), c.cr.row(cy)
		for cx := x0; cx <= x1; cx++ {
			x, y := 2*cx-c.odd.X-box.Min.X, 2*cy-c.odd.Y-box.Min.Y
			sum := g.at(x, y) + g.at(x+1, y) + g.at(x, y+1) + g.at(x+1, y+1)
			cb[cx] = mix(cb[cx], with.Cb, sum/4)
			cr[cx] = mix(cr[cx], with.Cr, sum/4)
		}
	}
}

// at is the mask at a place, 0 outside of it.
func (g *glyph) at(x, y int) uint32 {
	if x < 0 || y < 0 || x >= g.bounds.Dx() || y >= g.bounds.Dy() {
		return 0
	}
	return uint32(g.mask[y*g.bounds.Dx()+x])
}
