package peer

import (
	"errors"
	"strings"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/robot/internal/encode"
)

// errNoCodec is what Bind returns when the app takes none of our codecs.
var errNoCodec = errors.New("it takes neither H264 nor VP8")

// track is the video of one session, a webrtc.TrackLocal that sends what its
// peer writes. The codec is the app's choice: pion binds the track while the
// answer is set, with the codecs of the answer in the answer's order
// (RFC 3264 §6.1), and the first one that we know is taken.
type track struct {
	bound *binding // nil before the answer
}

// binding is where the RTP packets go.
type binding struct {
	writer      webrtc.TrackLocalWriter
	ssrc        uint32
	payloadType uint8
	codec       encode.Codec
}

// Bind implements webrtc.TrackLocal.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, parameters := range c.CodecParameters() {
		if codec, ok := codecOf(parameters.MimeType); ok {
			t.bound = &binding{
				writer: c.WriteStream(), ssrc: uint32(c.SSRC()),
				payloadType: uint8(parameters.PayloadType), codec: codec,
			}
			return parameters, nil
		}
	}
	return webrtc.RTPCodecParameters{}, errNoCodec
}

func codecOf(mimeType string) (encode.Codec, bool) {
	switch {
	case strings.EqualFold(mimeType, webrtc.MimeTypeH264):
		return encode.H264, true
	case strings.EqualFold(mimeType, webrtc.MimeTypeVP8):
		return encode.VP8, true
	default:
		return "", false
	}
}

// Unbind implements webrtc.TrackLocal. Writes after it return an error.
func (*track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID implements webrtc.TrackLocal.
func (*track) ID() string { return "video" }

// RID implements webrtc.TrackLocal; there is no simulcast.
func (*track) RID() string { return "" }

// StreamID implements webrtc.TrackLocal. It makes the offer carry a=msid
// (RFC 8830), without which apps see a track in no MediaStream.
func (*track) StreamID() string { return "robot" }

// Kind implements webrtc.TrackLocal.
func (*track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeVideo }
