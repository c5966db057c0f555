// Package encode turns pictures into H.264 or VP8 for one rendition of the
// robot's video. It is a front for the sub-packages x264 and vpx, which wrap the
// C libraries directly: see [Encoder] for what they promise.
package encode

import (
	"fmt"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/encode/internal/pump"
	"wimz.dev/live/robot/internal/encode/vpx"
	"wimz.dev/live/robot/internal/encode/x264"
)

// Codec names a video codec.
type Codec string

// The codecs there are encoders for.
const (
	H264 Codec = "h264" // constrained baseline, level 3.1
	VP8  Codec = "vp8"
)

// Settings describe one encoded stream.
type Settings struct {
	Codec Codec
	// Width and Height are the picture's size in pixels, both even.
	Width, Height int
	// FPS is the source's real rate, in frames a second, 1…120: the bit rate
	// is kept per frame, so a source that is slower than it says gets less.
	FPS float64
	// BitrateKbps is the target at the start, in kilobits (1000 bits) a second.
	BitrateKbps int
	// FullRange says that the pictures use luma 0…255 (JPEG, CSI cameras) and
	// not 16…235. H.264 tells the decoder; VP8 has no way to.
	FullRange bool
}

// Encoder pulls pictures from its source and encodes them without delay: every Read
// takes one picture and returns its access unit, Annex B (H.264) or a frame (VP8).
type Encoder = pump.Encoder

// New returns an encoder for the pictures of source, which must be 4:2:0
// *image.YCbCr of the size in the settings, with any strides. The source is not
// closed with the encoder.
func New(source video.Reader, s Settings) (*Encoder, error) {
	base := codec.BaseParams{BitRate: s.BitrateKbps * 1000}
	media := prop.Media{Video: prop.Video{
		Width:     s.Width,
		Height:    s.Height,
		FrameRate: float32(s.FPS),
	}}
	switch s.Codec {
	case H264:
		return x264.Params{BaseParams: base, FullRange: s.FullRange}.Open(source, media)
	case VP8:
		return vpx.Params{BaseParams: base}.Open(source, media)
	default:
		return nil, fmt.Errorf("encode: unknown codec %q", s.Codec)
	}
}
