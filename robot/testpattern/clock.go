package testpattern

import "image"

// The clock's text for people: UTC time of day and frame number.
const clockLength = len("hh:mm:ss.mmm 0000000")

// drawClock writes the stamp for people, on a dark plate above the stamp. The
// digits are made of squares of 1/120 of the picture's height.
func drawClock(img *image.YCbCr, s Stamp) {
	pen := img.Rect.Dy() / 120
	if pen == 0 || !roomForStamp(img.Rect) {
		return
	}
	at := image.Pt(img.Rect.Dx()/10, img.Rect.Dy()*32/45).Add(img.Rect.Min)
	plate := image.Rect(0, 0, (4*clockLength+1)*pen, 7*pen).Add(at)
	fillLuma(img, plate, dark)
	fillChroma(img, plate, neutral, neutral)

	text := clockText(s)
	for i, character := range text {
		drawGlyph(img, at.Add(image.Pt((1+4*i)*pen, pen)), pen, glyph(character))
	}
}

// clockText formats without allocating.
func clockText(s Stamp) [clockLength]byte {
	const day = 24 * 60 * 60 * 1000
	millis := ((s.Captured.UnixMilli() % day) + day) % day
	text := [clockLength]byte{2: ':', 5: ':', 8: '.', 12: ' '}
	putDecimal(text[0:2], millis/3600_000)
	putDecimal(text[3:5], millis/60_000%60)
	putDecimal(text[6:8], millis/1000%60)
	putDecimal(text[9:12], millis%1000)
	putDecimal(text[13:], int64(s.Number))
	return text
}

// putDecimal fills field with the last digits of v, leading zeros included.
func putDecimal(field []byte, v int64) {
	for i := len(field) - 1; i >= 0; i-- {
		field[i] = '0' + byte(v%10) //nolint:gosec // G115: a digit
		v /= 10
	}
}

// glyph returns a character as five rows of three squares, top row first in
// the highest bits.
func glyph(character byte) uint16 {
	digits := [...]uint16{
		0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111,
		0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_010_010_010,
		0b111_101_111_101_111, 0b111_101_111_001_111,
	}
	switch {
	case character >= '0' && character <= '9':
		return digits[character-'0']
	case character == ':':
		return 0b000_010_000_010_000
	case character == '.':
		return 0b000_000_000_000_010
	default:
		return 0
	}
}

func drawGlyph(img *image.YCbCr, at image.Point, pen int, squares uint16) {
	for i := range 15 {
		if squares&(1<<(14-i)) != 0 {
			x, y := at.X+i%3*pen, at.Y+i/3*pen
			fillLuma(img, image.Rect(x, y, x+pen, y+pen), light)
		}
	}
}
