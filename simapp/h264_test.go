package simapp

import (
	"bytes"
	"image"
	"testing"
)

// rawH264 codes pictures as access units of I_PCM macroblocks (H.264 §7.3.5):
// large, lossless, and no encoder is needed. Both sides of a picture are
// multiples of 16.
type rawH264 struct{ frame uint }

// encode codes one picture. Only a key picture brings the parameter sets.
func (e *rawH264) encode(img *image.YCbCr, key bool) []byte {
	startCode := []byte{0, 0, 0, 1}
	if key {
		e.frame = 0
		return bytes.Join([][]byte{
			nil, e.sps(img.Rect.Size()), e.pps(), e.slice(img, true),
		}, startCode)
	}
	e.frame++
	return append(startCode, e.slice(img, false)...)
}

func (*rawH264) sps(size image.Point) []byte {
	var b bits
	b.bytes(66, 0xc0, 31)                      // constrained baseline, level 3.1
	b.ue(0, 0, 2, 1)                           // id, frame number bits, POC type, references
	b.put(1, 0)                                // no gaps
	b.ue(uint(size.X/16)-1, uint(size.Y/16)-1) // size in macroblocks
	b.put(4, 0b1100)                           // frames only, 8x8 inference, no cropping, no VUI
	return b.nal(0x67)
}

func (*rawH264) pps() []byte {
	var b bits
	b.ue(0, 0)      // pps and sps id
	b.put(2, 0)     // CAVLC
	b.ue(0, 0, 0)   // one slice group, one reference each
	b.put(3, 0)     // no weights
	b.ue(0, 0, 0)   // QP offsets
	b.put(3, 0b100) // deblocking is said in the slice
	return b.nal(0x68)
}

func (e *rawH264) slice(img *image.YCbCr, idr bool) []byte {
	var b bits
	b.ue(0, 7, 0)        // first macroblock, I slices only, pps id
	b.put(4, e.frame%16) // frame number
	header := byte(0x41)
	if idr {
		header = 0x65
		b.ue(0)     // IDR picture id
		b.put(1, 0) // no output of prior pictures
	}
	b.put(1, 0) // reference marking
	b.ue(0, 1)  // QP delta, no deblocking
	for y := range img.Rect.Dy() / 16 {
		for x := range img.Rect.Dx() / 16 {
			b.ue(25) // I_PCM
			b.align()
			b.block(img.Y[img.YOffset(x*16, y*16):], img.YStride, 16)
			b.block(img.Cb[img.COffset(x*16, y*16):], img.CStride, 8)
			b.block(img.Cr[img.COffset(x*16, y*16):], img.CStride, 8)
		}
	}
	return b.nal(header)
}

// bits writes a raw byte sequence payload.
type bits struct {
	data []byte
	used uint // bits of the last byte
}

func (b *bits) put(n int, value uint) {
	for i := n - 1; i >= 0; i-- {
		if b.used%8 == 0 {
			b.data = append(b.data, 0)
			b.used = 0
		}
		b.data[len(b.data)-1] |= byte(value>>i&1) << (7 - b.used)
		b.used++
	}
}

func (b *bits) bytes(values ...byte) {
	for _, v := range values {
		b.put(8, uint(v))
	}
}

// ue writes Exp-Golomb codes (H.264 §9.1); a zero is the same signed.
func (b *bits) ue(values ...uint) {
	for _, v := range values {
		n := 0
		for (v+1)>>(n+1) != 0 {
			n++
		}
		b.put(n, 0)
		b.put(n+1, v+1)
	}
}

func (b *bits) align() {
	for b.used%8 != 0 {
		b.put(1, 0)
	}
}

func (b *bits) block(pixels []byte, stride, size int) {
	for y := range size {
		b.data = append(b.data, pixels[y*stride:][:size]...)
	}
	b.used = 8
}

// nal ends the payload and prevents start codes in it (H.264 §7.4.1).
func (b *bits) nal(header byte) []byte {
	b.put(1, 1)
	b.align()
	out, zeros := []byte{header}, 0
	for _, c := range b.data {
		if zeros == 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, c)
		if zeros++; c != 0 {
			zeros = 0
		}
	}
	return out
}

func TestRawH264IsWhatItSays(t *testing.T) {
	var b bits
	b.ue(0, 1, 2, 25)
	b.align()
	// 1 010 011 000011010 padded
	if want := []byte{0b10100110, 0b00011010}; !bytes.Equal(b.data, want) {
		t.Errorf("%b, want %b", b.data, want)
	}
}
