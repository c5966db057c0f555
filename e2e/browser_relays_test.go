package e2e

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("A relay of another maker", func() {
	It("that knows only the original specification brings the picture to the page", func(ctx SpecContext) {
		vendor := startVendor()
		s := empty(ctx, &binaries, harness.Options{})
		s.configure(func(robot string) string { return strings.Replace(robot, s.RelayURL(), vendor.url(), 1) })
		robot, err := binaries.Robot(ctx, harness.RobotSettings{ConfigFile: s.configFile}, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(robot.Stop)
		Eventually(vendor.here).Should(BeTrue())

		t := visit(ctx, servePage(ctx, vendor.url()))
		t.signIn(vendor.user)
		t.expectLive()
		t.expectMoving()
		vendor.hangUp()
		t.expectMoving()
		Expect(t.state()).To(Equal("live"), "the video does not need the relay")
	}, SpecTimeout(specTime))
})

var _ = inBrowser("Whoever does not answer", func() {
	It("is no spinner: the page says what is missing within 15 seconds", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		s.puppet(ctx) // the robot never answers
		silent := startVendor()
		silent.hear = func(*vendorSocket, map[string]any) {}
		mean := startVendor() // gives credentials, and never an offer
		mean.hear = func(app *vendorSocket, m map[string]any) {
			if m["type"] == "webrtc_request" {
				app.tell(map[string]any{"type": "webrtc_credentials", "session_id": vendorSession, "ice_servers": []any{}})
			}
		}
		robot, relay, offer := s.viewer(ctx), visit(ctx, servePage(ctx, silent.url())), visit(ctx, servePage(ctx, mean.url()))
		begin := time.Now()
		robot.signIn(s.owner)
		relay.signIn(silent.user)
		offer.signIn(mean.user)
		for t, words := range map[*tab]string{
			robot: "The robot does not answer", relay: "The relay did not answer", offer: "The robot does not answer",
		} {
			Eventually(t.text("#status")).WithTimeout(15 * time.Second).Should(ContainSubstring(words))
			Expect(t.state()).To(Equal("error"))
			Expect(t.number("[...document.querySelectorAll('#pulse, .pulse')].filter((e) => e.checkVisibility()).length")()).To(BeZero())
		}
		Expect(time.Since(begin)).To(BeNumerically("<", 15*time.Second))
	}, SpecTimeout(specTime))
})
