package rtc

import (
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// ClockRate is the RTP clock of video in Hz (RFC 6184 §8.2.1, RFC 7741 §6.1).
const ClockRate = 90000

// The codecs a robot can send. Constrained baseline, level 3.1, is what every
// phone decodes in hardware and enough for 720p at 30 fps.
//
//nolint:gochecknoglobals // constant tables
var (
	h264 = codec{
		name: "h264", payloadType: 102, rtxPayloadType: 103,
		capability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeH264, ClockRate: ClockRate,
			SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		},
	}
	vp8 = codec{
		name: "vp8", payloadType: 96, rtxPayloadType: 97,
		capability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: ClockRate},
	}
)

type codec struct {
	name                        string
	payloadType, rtxPayloadType webrtc.PayloadType
	capability                  webrtc.RTPCodecCapability
}

// registerCodecs registers the named codecs in order, each with its
// retransmission format (RFC 4588).
func registerCodecs(media *webrtc.MediaEngine, names []string) error {
	if len(names) == 0 {
		names = []string{h264.name, vp8.name}
	}
	for _, name := range names {
		c, err := codecNamed(name)
		if err != nil {
			return err
		}
		rtx := webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: ClockRate, SDPFmtpLine: fmt.Sprintf("apt=%d", c.payloadType),
		}
		for _, p := range []webrtc.RTPCodecParameters{
			{RTPCodecCapability: withFeedback(c.capability), PayloadType: c.payloadType},
			{RTPCodecCapability: rtx, PayloadType: c.rtxPayloadType},
		} {
			if err := media.RegisterCodec(p, webrtc.RTPCodecTypeVideo); err != nil {
				return fmt.Errorf("register %s: %w", name, err)
			}
		}
	}
	return nil
}

// withFeedback adds the key frame requests of RFC 5104 §4.3.1; the
// interceptors add nack, pli and transport-cc.
func withFeedback(c webrtc.RTPCodecCapability) webrtc.RTPCodecCapability {
	c.RTCPFeedback = []webrtc.RTCPFeedback{{Type: webrtc.TypeRTCPFBCCM, Parameter: "fir"}}
	return c
}

// registerREMB lets apps without transport-wide feedback say how much they want
// (draft-alvestrand-rmcat-remb-03), which they tell by the moments of sending.
func registerREMB(media *webrtc.MediaEngine) error {
	media.RegisterFeedback(webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBGoogREMB}, webrtc.RTPCodecTypeVideo)
	err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.ABSSendTimeURI}, webrtc.RTPCodecTypeVideo)
	if err != nil {
		return fmt.Errorf("register the moment of sending: %w", err)
	}
	return nil
}

func codecNamed(name string) (codec, error) {
	for _, c := range []codec{h264, vp8} {
		if c.name == name {
			return c, nil
		}
	}
	return codec{}, fmt.Errorf("unknown codec %q; use h264 or vp8", name)
}
