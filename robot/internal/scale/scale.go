// Package scale makes smaller pictures of larger ones: 4:2:0, bilinear, down to
// half the size, where each pixel is still a mean of all that it stands for.
package scale

import (
	"encoding/binary"
	"fmt"
	"image"
)

// Scaler scales pictures of one size to another. It keeps what it computes once
// and allocates nothing for a picture. It is not safe for concurrent use.
type Scaler struct {
	from, to     image.Point
	luma, chroma plane
}

// New returns a scaler. Widths and heights must be even, and from at least 4x4.
func New(from, to image.Point) *Scaler {
	return &Scaler{
		from: from, to: to,
		luma:   newPlane(from, to),
		chroma: newPlane(from.Div(2), to.Div(2)), //nolint:mnd // 4:2:0
	}
}

// Scale fills dst with src scaled. Both must be 4:2:0, begin at (0, 0) and have
// the sizes that New was told; anything else is a mistake of the caller's, and
// panics.
func (s *Scaler) Scale(dst, src *image.YCbCr) {
	if src.Rect != (image.Rectangle{Max: s.from}) || dst.Rect != (image.Rectangle{Max: s.to}) {
		panic(fmt.Sprintf("scale: %v to %v, made for %v to %v", src.Rect, dst.Rect, s.from, s.to))
	}
	s.luma.scale(dst.Y, dst.YStride, src.Y, src.YStride)
	s.chroma.scale(dst.Cb, dst.CStride, src.Cb, src.CStride)
	s.chroma.scale(dst.Cr, dst.CStride, src.Cr, src.CStride)
}

// plane scales one plane of a picture: rows are mixed first, eight pixels at a
// time, then columns.
type plane struct {
	width         int // of the source
	columns, rows []tap
	mixed         []byte // one row, with room for whole words
}

// tap says of which two neighbours a pixel is a mixture.
type tap struct {
	first  uint16 // the second follows it
	second uint16 // the weight of the second, of 256
}

func newPlane(from, to image.Point) plane {
	return plane{
		width:   from.X,
		columns: taps(from.X, to.X),
		rows:    taps(from.Y, to.Y),
		mixed:   make([]byte, from.X+wordLen),
	}
}

// taps puts the middle of each new pixel where it is among the old ones.
func taps(from, to int) []tap {
	list := make([]tap, to)
	for i := range list {
		at := ((2*i+1)*from*128/to - 128) // of 256 steps from one old pixel's middle to the next
		at = min(max(at, 0), (from-1)*256-1)
		list[i] = tap{first: uint16(at / 256), second: uint16(at % 256)} //nolint:gosec // G115: pictures are smaller
	}
	return list
}

func (p *plane) scale(dst []byte, dstStride int, src []byte, srcStride int) {
	for y, row := range p.rows {
		above := src[int(row.first)*srcStride:][:p.width]
		below := src[(int(row.first)+1)*srcStride:][:p.width]
		mix(p.mixed, above, below, uint64(row.second))
		squeeze(dst[y*dstStride:][:len(p.columns)], p.mixed, p.columns)
	}
}

const wordLen = 8

// mix mixes two rows. A word holds eight pixels; the even and the odd ones of
// them are multiplied in lanes of 16 bits, which 255·256 does not overflow.
func mix(dst, above, below []byte, weight uint64) {
	const lanes, half = 0x00ff00ff00ff00ff, 0x0080008000800080
	rest := 256 - weight
	n := len(above) &^ (wordLen - 1)
	for x := 0; x < n; x += wordLen {
		a := binary.LittleEndian.Uint64(above[x:])
		b := binary.LittleEndian.Uint64(below[x:])
		even := (a&lanes)*rest + (b&lanes)*weight + half
		odd := (a>>8&lanes)*rest + (b>>8&lanes)*weight + half
		binary.LittleEndian.PutUint64(dst[x:], even>>8&lanes|odd&^lanes)
	}
	for x := n; x < len(above); x++ {
		dst[x] = byte((uint64(above[x])*rest + uint64(below[x])*weight + 128) >> 8) //nolint:gosec // G115: a mean of bytes
	}
}

// squeeze mixes the columns of one row. Both neighbours come in one load.
func squeeze(dst, row []byte, columns []tap) {
	dst = dst[:len(columns)]
	for x, t := range columns {
		pair := uint32(binary.LittleEndian.Uint16(row[t.first:]))
		a := pair & 0xff
		dst[x] = byte((a<<8 + (pair>>8-a)*uint32(t.second) + 128) >> 8) //nolint:gosec // G115: a mean of bytes
	}
}
