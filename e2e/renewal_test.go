package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = Describe("Credentials that live for 20 seconds", Serial, func() {
	It("are renewed, and the video through TURN goes on for a minute without a gap", func(ctx SpecContext) {
		// pion/turn cuts what has expired, as Cloudflare does; coturn does not.
		server, err := harness.StartPionTURN(GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		const life = 20 * time.Second
		s := ready(ctx, &binaries, harness.Options{TURN: server, TTL: life})
		viewer := s.onlooker(ctx, simapp.Options{RelayOnly: true})
		Eventually(viewer.clock.running).WithTimeout(70 * time.Second).Should(BeNumerically(">=", time.Minute))
		viewer.expectNoGap(ctx, restartGap)
		Expect(len(viewer.renewed)).To(BeNumerically(">=", 3), "one every 16 seconds")
		Expect(viewer.Report().Pair.Local).To(Equal("relay"))
		viewer.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(2*specTime))
})
