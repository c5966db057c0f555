package encode_test

import (
	"strings"
	"testing"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/encode/vpx"
	"wimz.dev/live/robot/internal/encode/x264"
)

// TestBuilders: mediadevices could build these encoders as it builds its own.
func TestBuilders(t *testing.T) {
	base := codec.BaseParams{BitRate: 100_000, KeyFrameInterval: 5}
	for c, builder := range map[encode.Codec]codec.VideoEncoderBuilder{
		encode.H264: x264.Params{BaseParams: base}, encode.VP8: vpx.Params{BaseParams: base},
	} {
		if spoken := builder.RTPCodec(); !strings.EqualFold(spoken.MimeType, "video/"+string(c)) || spoken.ClockRate != 90_000 {
			t.Errorf("codec %s, %d Hz", spoken.MimeType, spoken.ClockRate)
		}
		media := prop.Media{Video: prop.Video{Width: 64, Height: 48, FrameRate: fps}}
		encoder, err := builder.BuildVideoEncoder(newCamera(64, 48), media)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = encoder.Close() })
		for i := range 15 {
			unit, release, err := encoder.Read()
			if err != nil {
				t.Fatal(err)
			}
			if key := encode.IsKeyFrame(c, unit); key != (i%5 == 0) {
				t.Errorf("%s, frame %d: key frame %v, want one in five", c, i, key)
			}
			release()
		}
		media.FrameRate = 0
		if refused, err := builder.BuildVideoEncoder(newCamera(64, 48), media); err == nil || refused != nil {
			t.Errorf("%s: an unknown frame rate is accepted, or there is an encoder beside the error", c)
		}
	}
}
