package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("Credentials that live for 20 seconds", func(b harness.Backend) {
	It("are renewed, and the video through TURN goes on for a minute without a gap", func(ctx SpecContext) {
		// pion/turn cuts what has expired, as Cloudflare does; coturn does not.
		server, err := harness.StartPionTURN(GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		s := ready(ctx, b, harness.Options{TURN: server, TTL: 20 * time.Second})
		renewals := make(chan wire.Message, 16)
		phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
			if m.Type == wire.TypeCredentials {
				renewals <- m
			}
		})
		Expect(err).NotTo(HaveOccurred())
		clock := newGapMeter()
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID, RelayOnly: true, OnPicture: clock.tick})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())

		clock.reset()
		Eventually(clock.running).WithTimeout(70 * time.Second).Should(BeNumerically(">=", time.Minute))
		Expect(clock.longest()).To(BeNumerically("<", time.Second))
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
		Expect(len(renewals)).To(BeNumerically(">=", 4), "the first, and every 16 seconds another")
		viewing.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(2*specTime))
})
