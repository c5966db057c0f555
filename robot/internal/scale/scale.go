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
	mixed         *line
}

// line is a row of any width that a tap can name, so that no look-up needs a check.
type line [1<<16 + 1]byte

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
		mixed:   new(line),
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
		mix(p.mixed[:p.width], above, below, uint64(row.second))
		squeeze(dst[y*dstStride:][:len(p.columns)], p.mixed, p.columns)
	}
}

// mix mixes two rows. A word holds eight pixels; the even and the odd ones of
// them are multiplied in lanes of 16 bits, which 255·256 does not overflow.
func mix(dst, above, below []byte, weight uint64) {
	const lanes, half = 0x00ff00ff00ff00ff, 0x0080008000800080
	rest, n := 256-weight, len(dst)
	above, below = above[:n], below[:n] // so that the loop needs no checks
	x := 0
	for ; x <= n-8; x += 8 {
		a := binary.LittleEndian.Uint64(above[x : x+8])
		b := binary.LittleEndian.Uint64(below[x : x+8])
		even := (a&lanes)*rest + (b&lanes)*weight + half
		odd := (a>>8&lanes)*rest + (b>>8&lanes)*weight + half
		binary.LittleEndian.PutUint64(dst[x:x+8], even>>8&lanes|odd&^lanes)
	}
	for ; x < n; x++ {
		dst[x] = byte((uint64(above[x])*rest + uint64(below[x])*weight + 128) >> 8) //nolint:gosec // G115: a mean of bytes
	}
}

// squeeze mixes the columns of one row, four at a time.
func squeeze(dst []byte, row *line, columns []tap) {
	for len(columns) >= 4 && len(dst) >= 4 {
		t := (*[4]tap)(columns)
		four := row.at(t[0]) | row.at(t[1])<<8 | row.at(t[2])<<16 | row.at(t[3])<<24
		binary.LittleEndian.PutUint32(dst, four)
		columns, dst = columns[4:], dst[4:]
	}
	for x, t := range columns {
		dst[x] = byte(row.at(t)) //nolint:gosec // G115: a mean of bytes
	}
}

// at mixes two neighbours.
func (l *line) at(t tap) uint32 {
	first := int(t.first)
	a, b := uint32(l[first]), uint32(l[first+1])
	return (a<<8 + (b-a)*uint32(t.second) + 128) >> 8
}
