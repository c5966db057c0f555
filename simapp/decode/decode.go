// Package decode turns H.264 and VP8 back into pictures with libavcodec, so
// that a peer in Go can look at what it receives.
package decode

/*
#cgo pkg-config: libavcodec libavutil
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
)

const (
	// maxSide bounds a picture's width and height, and so what a stream can
	// make the decoder allocate.
	maxSide = 4096
	// maxPixels bounds a picture's area: 1080p and a little.
	maxPixels = 2048 * 1152
	// maxUnit bounds an access unit, in bytes; an uncompressed picture of the
	// largest size fits.
	maxUnit = 4 << 20
)

// Errors of Decode.
var (
	// ErrCorrupt says that a unit is damaged, is not of the decoder's codec,
	// or refers to pictures the decoder does not have. Not all damage shows: a
	// VP8 frame that lacks its end still decodes, to a poor picture.
	ErrCorrupt = errors.New("decode: damaged access unit")
	// ErrFormat says that a stream is sound but its pictures are not 8-bit
	// 4:2:0, or too large.
	ErrFormat = errors.New("decode: unsupported picture format")
	// ErrClosed says that the decoder was closed.
	ErrClosed = errors.New("decode: decoder is closed")
)

// Decoder decodes one stream, with no delay: a unit's picture comes out as the
// unit goes in. It is not safe for concurrent use.
type Decoder struct {
	native  *C.wimz_decoder
	picture *image.YCbCr // what Decode returns, every time
}

// New returns a decoder for "h264" (Annex B access units, with the parameter
// sets in front of each IDR picture) or "vp8" (frames). Close frees it. It also
// silences libavcodec's own log, for the whole process.
func New(codec string) (*Decoder, error) {
	var id C.enum_wimz_codec
	switch codec {
	case "h264":
		id = C.WIMZ_H264
	case "vp8":
		id = C.WIMZ_VP8
	default:
		return nil, fmt.Errorf("decode: unknown codec %q", codec)
	}
	native := C.wimz_decoder_open(id, maxPixels)
	if native == nil {
		return nil, fmt.Errorf("decode: libavcodec has no decoder for %s", codec)
	}
	return &Decoder{native: native, picture: &image.YCbCr{}}, nil
}

// Decode decodes a unit and returns its picture, which is valid until the next
// call. It returns nil and no error when no picture came out: after parameter
// sets alone, or while H.264 waits for a first key frame. After an error the
// stream may go on, but what follows is damaged until the next key frame: call
// Flush and ask the sender for one.
func (d *Decoder) Decode(unit []byte) (*image.YCbCr, error) {
	if d.native == nil {
		return nil, ErrClosed
	}
	if len(unit) == 0 || len(unit) > maxUnit {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(unit))
	}
	switch C.wimz_decoder_decode(d.native, (*C.uint8_t)(&unit[0]), C.int(len(unit))) {
	case C.WIMZ_PICTURE:
		return d.take()
	case C.WIMZ_NOTHING:
		return nil, nil //nolint:nilnil // documented: no picture is no error
	case C.WIMZ_FORMAT:
		return nil, ErrFormat
	default:
		return nil, ErrCorrupt
	}
}

// Flush forgets everything decoded so far, as if the decoder were new. Call it
// after a loss, before the next key frame: without it the H.264 decoder keeps a
// reordering delay that grows with every gap.
func (d *Decoder) Flush() {
	if d.native != nil {
		C.wimz_decoder_flush(d.native)
	}
}

// Close frees the decoder; the last picture stays valid. Closing twice does
// nothing.
func (d *Decoder) Close() {
	C.wimz_decoder_close(d.native)
	d.native = nil
}

// take copies the picture out of libavcodec's memory.
func (d *Decoder) take() (*image.YCbCr, error) {
	w, h := int(d.native.frame.width), int(d.native.frame.height)
	if w <= 0 || h <= 0 || w > maxSide || h > maxSide {
		return nil, ErrFormat
	}
	if d.picture.Rect.Dx() != w || d.picture.Rect.Dy() != h {
		d.picture = image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	}
	p := d.picture
	C.wimz_decoder_copy(d.native, (*C.uint8_t)(&p.Y[0]), (*C.uint8_t)(&p.Cb[0]), (*C.uint8_t)(&p.Cr[0]))
	return p, nil
}
