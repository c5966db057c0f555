package x264_test

import (
	"image"
	"strings"
	"testing"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/encode/x264"
)

func TestBuilder(t *testing.T) {
	picture := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
	source := video.ReaderFunc(func() (image.Image, func(), error) { return picture, func() {}, nil })
	media := prop.Media{Video: prop.Video{Width: 64, Height: 48, FrameRate: 15}}

	var builder codec.VideoEncoderBuilder = x264.Params{BaseParams: codec.BaseParams{BitRate: 100_000, KeyFrameInterval: 5}}
	if c := builder.RTPCodec(); !strings.EqualFold(c.MimeType, "video/H264") || c.ClockRate != 90_000 {
		t.Errorf("codec %s, %d Hz", c.MimeType, c.ClockRate)
	}
	encoder, err := builder.BuildVideoEncoder(source, media)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = encoder.Close() }()
	for i := range 15 {
		unit, release, readErr := encoder.Read()
		if readErr != nil {
			t.Fatal(readErr)
		}
		if key := encode.IsKeyFrame("h264", unit); key != (i%5 == 0) {
			t.Errorf("frame %d: key frame %v, want one in five", i, key)
		}
		release()
	}
	media.FrameRate = 0
	if refused, err := builder.BuildVideoEncoder(source, media); err == nil || refused != nil {
		t.Error("an unknown frame rate is accepted, or there is an encoder beside the error")
	}
}
