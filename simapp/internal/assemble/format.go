package assemble

import (
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"wimz.dev/live/robot/rtc"
)

// format is what the assembler must know of a codec's RTP payload format.
type format struct {
	// depacketizer returns a fresh one: it keeps the fragments of an unfinished
	// unit, which must not survive a gap.
	depacketizer func() rtp.Depacketizer
	// startsKey reports whether a payload is the first of a key picture.
	startsKey func(payload []byte) bool
}

func formatOf(codec string) (format, error) {
	switch codec {
	case "h264":
		return format{func() rtp.Depacketizer { return &codecs.H264Packet{} }, h264StartsKey}, nil
	case "vp8":
		return format{func() rtp.Depacketizer { return &codecs.VP8Packet{} }, vp8StartsKey}, nil
	default:
		return format{}, fmt.Errorf("assemble: unknown codec %q; use h264 or vp8", codec)
	}
}

// stapA is an aggregation packet (RFC 6184 §5.4).
const stapA rtc.NALType = 24

// h264StartsKey looks for a sequence parameter set, alone or first in an
// aggregation packet (RFC 6184 §5.7.1): a decoder can start there.
func h264StartsKey(payload []byte) bool {
	switch {
	case len(payload) == 0:
		return false
	case rtc.TypeOf(payload) == stapA:
		return len(payload) > 3 && rtc.TypeOf(payload[3:]) == rtc.NALSPS
	default:
		return rtc.TypeOf(payload) == rtc.NALSPS
	}
}

// vp8StartsKey reads the payload descriptor (RFC 7741 §4.2) and the inverse
// key frame flag behind it (§4.3).
func vp8StartsKey(payload []byte) bool {
	var p codecs.VP8Packet
	frame, err := p.Unmarshal(payload)
	return err == nil && p.S == 1 && p.PID == 0 && len(frame) > 0 && frame[0]&1 == 0
}
