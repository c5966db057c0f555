// Package vpx encodes VP8 (RFC 6386) with libvpx, tuned for a live call: one
// thread, no look-ahead, no dropped pictures, and a constant bit rate with
// bounded key frames.
package vpx

/*
#cgo pkg-config: vpx
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/encode/internal/pump"
)

const (
	// clockRate is RTP's for VP8 (RFC 7741 §4.1), in ticks a second.
	clockRate = 90_000
	// speed trades quality for time, from -1 to -16, the fastest.
	speed = -10
	// maxKeyPercent bounds a key frame, in percent of the mean frame.
	maxKeyPercent = 400
)

// Params are the settings of a VP8 encoder. They implement
// codec.VideoEncoderBuilder.
//
// VP8 has no way to say that a picture uses the full range of luma; decoders
// take every picture for 16…235.
type Params struct {
	// BaseParams holds BitRate, the target in bits per second, and
	// KeyFrameInterval, see [pump.KeyInterval].
	codec.BaseParams
}

var _ codec.VideoEncoderBuilder = Params{}

// RTPCodec describes the codec to a session: VP8, 90 kHz.
func (Params) RTPCodec() *codec.RTPCodec {
	return codec.NewRTPVP8Codec(clockRate)
}

// BuildVideoEncoder is Open for mediadevices.
func (p Params) BuildVideoEncoder(r video.Reader, media prop.Media) (codec.ReadCloser, error) {
	encoder, err := p.Open(r, media)
	if err != nil {
		return nil, err // not a nil *pump.Encoder in the interface
	}
	return encoder, nil
}

// Open returns an encoder for the pictures of r, which must have the size and
// frame rate that media tells.
func (p Params) Open(r video.Reader, media prop.Media) (*pump.Encoder, error) {
	if err := pump.Check(p.BaseParams, media); err != nil {
		return nil, err
	}
	settings := C.wimz_vpx_settings{
		width:             C.int(media.Width),
		height:            C.int(media.Height),
		ticks_per_picture: C.uint32_t(clockRate/media.FrameRate + 0.5),
		bitrate_kbps:      C.int(p.BitRate / 1000),
		key_interval:      C.int(pump.KeyInterval(p.BaseParams, media)),
		max_key_percent:   maxKeyPercent,
		speed:             speed,
	}
	native := C.wimz_vpx_open(&settings)
	if native == nil {
		return nil, errors.New("vpx: libvpx refused the settings")
	}
	return pump.New(r, media.Width, media.Height, &engine{native}), nil
}

// engine implements pump.Engine.
type engine struct{ native *C.wimz_vpx }

func (e *engine) Encode(img *image.YCbCr, key bool) ([]byte, error) {
	forced := C.int(0)
	if key {
		forced = 1
	}
	status := C.wimz_vpx_encode(e.native,
		(*C.uint8_t)(&img.Y[0]), (*C.uint8_t)(&img.Cb[0]), (*C.uint8_t)(&img.Cr[0]),
		C.int(img.YStride), C.int(img.CStride), forced)
	if status != 0 {
		return nil, errors.New("vpx: libvpx failed")
	}
	return unsafe.Slice((*byte)(e.native.unit), int(e.native.unit_size)), nil
}

func (e *engine) SetBitRate(bps int) error {
	if C.wimz_vpx_set_bitrate(e.native, C.int(bps/1000)) != 0 {
		return fmt.Errorf("vpx: libvpx refused %d bit/s", bps)
	}
	return nil
}

func (e *engine) Close() {
	C.wimz_vpx_close(e.native)
	e.native = nil
}
