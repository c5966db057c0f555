package peer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/peer"
)

// TestOnlyTURN: an app that names a TURN server's candidates and no others is
// not made to wait for a better path. Here everybody else would wait for ever.
func TestOnlyTURN(t *testing.T) {
	patient := func(context.Context) (*webrtc.API, error) {
		var engine webrtc.SettingEngine
		engine.SetRelayAcceptanceMinWait(time.Hour)
		engine.SetIncludeLoopbackCandidate(true)
		return webrtc.NewAPI(webrtc.WithSettingEngine(engine)), nil
	}
	timing := peer.Timing{Resend: []time.Duration{}, Answer: patience, Connect: patience}
	o, v := startSessionWith(t, newStream(t), timing, patient), newViewer(t)
	o.Answer(v.answer(t, o.await(t, wire.TypeOffer)))
	for c := range v.candidates {
		if c.Candidate == "" {
			break
		}
		c.Candidate = strings.Replace(c.Candidate, " typ host", " typ relay raddr 0.0.0.0 rport 0", 1)
		o.Candidate(c)
	}
	o.awaitState(t, peer.Connected)
}
