package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = everywhere("An operator who looks at the relay's figures", func(b harness.Backend) {
	It("sees a session come, connect and end, and every message of it", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		s.expectFigures(ctx, map[string]any{
			`sessions{state="connected"}`: 1.0, `sockets{kind="app"}`: 1.0, `sockets{kind="robot"}`: 1.0,
			`turn_credentials`: 1.0,
		})
		viewing.Close()
		s.expectFigures(ctx, map[string]any{
			`session_reached_seconds_count{state="requested"}`: 1.0,
			`session_reached_seconds_count{state="offered"}`:   1.0,
			`session_reached_seconds_count{state="answered"}`:  1.0,
			`session_reached_seconds_count{state="connected"}`: 1.0,
			`sessions_ended_total{reason="app_left"}`:          1.0,
			`sessions{state="connected"}`:                      0.0,

			`messages_total{direction="in",kind="app",type="webrtc_request"}`:      1.0,
			`messages_total{direction="out",kind="app",type="webrtc_credentials"}`: 1.0,
			`messages_total{direction="out",kind="robot",type="webrtc_request"}`:   1.0,
			`messages_total{direction="in",kind="robot",type="webrtc_offer"}`:      BeNumerically(">=", 1), // it is repeated until it is answered
			`messages_total{direction="out",kind="app",type="webrtc_offer"}`:       BeNumerically(">=", 1),
			`messages_total{direction="in",kind="app",type="webrtc_answer"}`:       BeNumerically(">=", 1),
			`messages_total{direction="out",kind="robot",type="webrtc_answer"}`:    BeNumerically(">=", 1),
			`messages_total{direction="in",kind="app",type="webrtc_ice"}`:          BeNumerically(">=", 1),
			`messages_total{direction="out",kind="app",type="webrtc_ice"}`:         BeNumerically(">=", 1),
			`messages_total{direction="in",kind="app",type="webrtc_close"}`:        1.0,
			`messages_total{direction="out",kind="robot",type="webrtc_close"}`:     1.0,

			`forward_seconds_count`:              BeNumerically(">=", 4),
			`turn_mint_seconds_count`:            1.0,
			`turn_credentials`:                   0.0,
			`turn_breaker_state{state="closed"}`: 1.0,
			`store_up`:                           1.0,
			`http_requests_total{route="GET /ws/app",status="101"}`: 1.0,
		})
	}, SpecTimeout(specTime))
})

// expectFigures waits for figures of the relay, each a value or a matcher.
func (s *stage) expectFigures(ctx SpecContext, want map[string]any) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		figures, err := s.Metrics(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		for name, value := range want {
			g.Expect(figures).To(HaveKeyWithValue("wimz_relay_"+name, value))
		}
	}).WithContext(ctx).Should(Succeed())
}
