package rtc

import (
	"strings"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// TestREMBIsOfferedBySenders: whoever measures offers what apps need to say how much
// they want, beside transport-wide feedback; a receiver sends no moments.
func TestREMBIsOfferedBySenders(t *testing.T) {
	for name, measure := range map[string]func(*interceptor.Registry) error{
		"sender": func(*interceptor.Registry) error { return nil }, "receiver": nil,
	} {
		t.Run(name, func(t *testing.T) {
			api, err := NewAPI(t.Context(), Options{Measure: measure})
			must(t, err)
			pc, err := api.NewPeerConnection(webrtc.Configuration{})
			must(t, err)
			t.Cleanup(func() { _ = pc.GracefulClose() })
			_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo)
			must(t, err)
			offer, err := pc.CreateOffer(nil)
			must(t, err)
			for _, line := range []string{
				"a=rtcp-fb:102 goog-remb", "a=rtcp-fb:96 goog-remb", "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
			} {
				if strings.Contains(offer.SDP, line) != (measure != nil) {
					t.Errorf("%q is offered: %v", line, measure == nil)
				}
			}
			if !strings.Contains(offer.SDP, "transport-cc") {
				t.Error("no transport-wide feedback")
			}
		})
	}
}
