// Package x264 encodes H.264 with libx264, tuned for a live call: constrained
// baseline at level 3.1 as the session description says
// (profile-level-id=42e01f, RFC 6184 §8.1), one slice, no B-frames, no
// look-ahead, Annex B with the parameter sets in front of every IDR picture, and
// a constant bit rate whose buffer keeps key frames small.
package x264

/*
#cgo pkg-config: x264
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
	// vbvMillis is how many milliseconds of video at the target rate the
	// decoder's buffer holds, and so the bound of a key frame. A smaller buffer
	// makes libx264 fall short of the target (12 % at 300 ms); a larger one makes
	// larger key frames.
	vbvMillis = 400

	// Level 3.1 (ITU-T H.264, table A-1), in macroblocks.
	maxFrameBlocks     = 3600
	maxBlocksPerSecond = 108_000
)

// Params are the settings of an H.264 encoder. They implement
// codec.VideoEncoderBuilder.
type Params struct {
	// BaseParams holds BitRate, the target in bits per second, and
	// KeyFrameInterval, see [pump.KeyInterval].
	codec.BaseParams

	// FullRange says that the pictures use luma and chroma 0…255, as JPEG and
	// CSI cameras do, and not 16…235 as most USB cameras do. The stream says so
	// to the decoder; the pixels are not changed.
	FullRange bool
}

var _ codec.VideoEncoderBuilder = Params{}

// RTPCodec describes the codec to a session: H264, 90 kHz, 42e01f.
func (Params) RTPCodec() *codec.RTPCodec {
	return codec.NewRTPH264Codec(90_000)
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
// frame rate that media tells. The picture must fit level 3.1: 1280x720 at up
// to 30 frames a second.
func (p Params) Open(r video.Reader, media prop.Media) (*pump.Encoder, error) {
	if err := errors.Join(pump.Check(p.BaseParams, media), checkLevel(media)); err != nil {
		return nil, err
	}
	settings := C.wimz_x264_settings{
		width:        C.int(media.Width),
		height:       C.int(media.Height),
		fps_num:      C.uint32_t(media.FrameRate*1000 + 0.5),
		fps_den:      1000,
		bitrate_kbps: C.int(p.BitRate / 1000),
		vbv_ms:       vbvMillis,
		key_interval: C.int(pump.KeyInterval(p.BaseParams, media)),
	}
	if p.FullRange {
		settings.full_range = 1
	}
	native := C.wimz_x264_open(&settings)
	if native == nil {
		return nil, errors.New("x264: libx264 refused the settings")
	}
	return pump.New(r, media.Width, media.Height, &engine{native}), nil
}

func checkLevel(media prop.Media) error {
	blocks := ((media.Width + 15) / 16) * ((media.Height + 15) / 16)
	if blocks > maxFrameBlocks || float64(blocks)*float64(media.FrameRate) > maxBlocksPerSecond {
		return fmt.Errorf("x264: %dx%d at %v fps is more than level 3.1 allows", media.Width, media.Height, media.FrameRate)
	}
	return nil
}

// engine implements pump.Engine.
type engine struct{ native *C.wimz_x264 }

func (e *engine) Encode(img *image.YCbCr, key bool) ([]byte, error) {
	forced := C.int(0)
	if key {
		forced = 1
	}
	status := C.wimz_x264_encode(e.native,
		(*C.uint8_t)(&img.Y[0]), (*C.uint8_t)(&img.Cb[0]), (*C.uint8_t)(&img.Cr[0]),
		C.int(img.YStride), C.int(img.CStride), forced)
	if status != 0 {
		return nil, errors.New("x264: libx264 failed")
	}
	return unsafe.Slice((*byte)(e.native.unit), int(e.native.unit_size)), nil
}

func (e *engine) SetBitRate(bps int) error {
	if C.wimz_x264_set_bitrate(e.native, C.int(bps/1000)) != 0 {
		return fmt.Errorf("x264: libx264 refused %d bit/s", bps)
	}
	return nil
}

func (e *engine) Close() {
	C.wimz_x264_close(e.native)
	e.native = nil
}
