package wire

import (
	"strings"
	"testing"
)

// benched is a message as it comes to the relay.
type benched struct {
	from  Party
	frame []byte
}

// frames are the two messages a session has most of, by size and by number, a
// driver's command and a robot's event.
func frames() map[string]benched {
	offer := golden()["webrtc_offer"].Message
	sdp := *offer.SDP
	sdp.SDP += strings.Repeat("a=rtpmap:102 H264/90000\r\n", 160) // about 4 KiB
	offer.SDP = &sdp
	return map[string]benched{
		"offer":     {Robot, Encode(offer)},
		"candidate": {Robot, Encode(golden()["webrtc_ice"].Message)},
		"command":   {App, Encode(golden()["command"].Message)},
		"event":     {Robot, Encode(golden()["event"].Message)},
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, c := range frames() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.frame)))
			for b.Loop() {
				if _, err := Decode(c.frame, c.from); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, c := range frames() {
		m, err := Decode(c.frame, c.from)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.frame)))
			for b.Loop() {
				Encode(m)
			}
		})
	}
}
