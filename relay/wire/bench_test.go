package wire

import (
	"strings"
	"testing"
)

// frames are the two messages a session has most of: by size, and by number.
func frames() map[string][]byte {
	offer := golden()["webrtc_offer"].Message
	sdp := *offer.SDP
	sdp.SDP += strings.Repeat("a=rtpmap:102 H264/90000\r\n", 160) // about 4 KiB
	offer.SDP = &sdp
	return map[string][]byte{"offer": Encode(offer), "candidate": Encode(golden()["webrtc_ice"].Message)}
}

func BenchmarkDecode(b *testing.B) {
	for name, frame := range frames() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if _, err := Decode(frame, Robot); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, frame := range frames() {
		m, err := Decode(frame, Robot)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				Encode(m)
			}
		})
	}
}
