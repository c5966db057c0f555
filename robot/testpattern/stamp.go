package testpattern

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"time"
)

// The grid of the stamp: see the package comment.
const (
	columns    = 32
	rows       = 4
	stampBytes = columns * rows / 8

	minWidth  = 160
	minHeight = 90

	light     = 224
	dark      = 32
	threshold = 128
)

// ErrNoStamp says that a picture carries no stamp, or one that is damaged.
var ErrNoStamp = errors.New("testpattern: no stamp in the picture")

// Stamp identifies one frame of the test picture.
type Stamp struct {
	// Number counts frames from the source's start; it wraps around.
	Number uint32
	// Captured is when the frame was taken. It travels in whole microseconds
	// and is read back in UTC.
	Captured time.Time
}

// Read reads the stamp of a picture of any size, returning ErrNoStamp when
// there is no valid one. Only the luma plane is looked at. It allocates nothing
// and any number of calls may run at once.
func Read(img *image.YCbCr) (Stamp, error) {
	if img == nil || !roomForStamp(img.Rect) || !lumaComplete(img) {
		return Stamp{}, ErrNoStamp
	}
	var raw [stampBytes]byte
	for i := range columns * rows {
		if isLight(img, middle(cell(img.Rect, i))) {
			raw[i/8] |= 0x80 >> (i % 8)
		}
	}
	return parseStamp(raw)
}

func (s Stamp) bytes() [stampBytes]byte {
	var raw [stampBytes]byte
	binary.BigEndian.PutUint32(raw[0:], s.Number)
	binary.BigEndian.PutUint64(raw[4:], uint64(s.Captured.UnixMicro()))
	binary.BigEndian.PutUint32(raw[12:], checksum(raw))
	return raw
}

func parseStamp(raw [stampBytes]byte) (Stamp, error) {
	if binary.BigEndian.Uint32(raw[12:]) != checksum(raw) {
		return Stamp{}, ErrNoStamp
	}
	micros := int64(binary.BigEndian.Uint64(raw[4:])) //nolint:gosec // G115: two's complement on the wire, as documented
	return Stamp{
		Number:   binary.BigEndian.Uint32(raw[0:]),
		Captured: time.UnixMicro(micros).UTC(),
	}, nil
}

// checksum covers everything in raw but the checksum itself. The leading magic
// keeps other people's well-formed bit grids from passing for ours. (Computed
// here because hash/crc32 moves its argument to the heap.)
func checksum(raw [stampBytes]byte) uint32 {
	crc := ^uint32(0)
	for _, b := range [...]byte{'W', 'I', 'M', 'Z'} {
		crc = crcByte(crc, b)
	}
	for _, b := range raw[:12] {
		crc = crcByte(crc, b)
	}
	return ^crc
}

func crcByte(crc uint32, b byte) uint32 {
	crc ^= uint32(b)
	for range 8 {
		crc = crc>>1 ^ -(crc&1)&crc32.IEEE
	}
	return crc
}

// draw paints the stamp into the picture: light and dark cells on a dark,
// colourless strip one cell wide all around.
func (s Stamp) draw(img *image.YCbCr) {
	if !roomForStamp(img.Rect) {
		return
	}
	first, last := cell(img.Rect, 0), cell(img.Rect, columns*rows-1)
	border := first.Dy() / 2
	strip := image.Rectangle{Min: first.Min, Max: last.Max}.Inset(-border)
	fillLuma(img, strip, dark)
	fillChroma(img, strip, neutral, neutral)

	raw := s.bytes()
	for i := range columns * rows {
		if raw[i/8]&(0x80>>(i%8)) != 0 {
			fillLuma(img, cell(img.Rect, i), light)
		}
	}
}

func roomForStamp(r image.Rectangle) bool {
	return r.Dx() >= minWidth && r.Dy() >= minHeight
}

// lumaComplete reports whether the luma plane really holds the whole picture,
// so that a carelessly built image cannot make Read panic.
func lumaComplete(img *image.YCbCr) bool {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	return img.YStride >= w && len(img.Y) >= w && (len(img.Y)-w)/img.YStride >= h-1
}

// cell returns the pixels of bit i, in the coordinates of the picture.
func cell(r image.Rectangle, i int) image.Rectangle {
	w, h := r.Dx(), r.Dy()
	column, row := i%columns, i/columns
	return image.Rect(
		w*(4+column)/40, h*(36+2*row)/45,
		w*(5+column)/40, h*(38+2*row)/45,
	).Add(r.Min)
}

// middle returns the inner half of a cell, which codecs leave clean.
func middle(r image.Rectangle) image.Rectangle {
	dx, dy := r.Dx()/4, r.Dy()/4
	return image.Rect(r.Min.X+dx, r.Min.Y+dy, r.Max.X-dx, r.Max.Y-dy)
}

func isLight(img *image.YCbCr, r image.Rectangle) bool {
	sum := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Y[img.YOffset(r.Min.X, y):][:r.Dx()]
		for _, v := range row {
			sum += int(v)
		}
	}
	return sum >= threshold*r.Dx()*r.Dy()
}
