package e2e

import (
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("A page that is left open", func() {
	It("says that the robot is off, and shows it by itself when it comes, and when it is started anew", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.signIn(s.owner)
		Eventually(t.text("#status")).Should(ContainSubstring("offline"))
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		t.expectLive()
		t.expectMoving()

		By("starting the robot anew")
		Expect(s.Robots[robotID].Stop()).To(Succeed())
		Eventually(t.state).Should(Not(Equal("live")))
		another := s.viewer(ctx)
		another.signIn(s.owner)
		Eventually(another.text("#status")).Should(ContainSubstring("last seen just now"), "the relay has seen it")
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		t.expectLive()
		t.expectMoving()
	}, SpecTimeout(specTime))

	It("is hidden before the first picture comes, and shows it when it is looked at again", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		window(t, browser.WindowStateMinimized)
		t.signIn(s.owner)
		s.expectSessions(ctx, 1)
		Consistently(t.state).WithContext(ctx).WithTimeout(12*time.Second).ShouldNot(Equal("error"), "the page's patience for a picture")
		s.expectSessions(ctx, 1)
		window(t, browser.WindowStateNormal)
		t.expectLive()
	}, SpecTimeout(specTime))

	It("misses no frame while the relay is restarted twice, is closed as ever, and comes back with the video", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		s.lossy = true // the first relay left its credential to expire
		t := s.viewer(ctx)
		t.complaints.allow(relayIsGone)
		t.signIn(s.owner)
		t.expectLive()
		t.run("observer.reset()")
		for n := range 2 {
			s.restart(ctx)
			Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
			s.expectApps(ctx, 1)
			Eventually(t.talk.resumed).Should(BeNumerically(">", n))
			t.expectMoving()
		}
		s.expectSessions(ctx, 1)
		Expect(t.state()).To(Equal("live"))
		t.expectNoGap(noGap)
		t.leave()
		s.expectSessions(ctx, 0)
		s.expectViewers(ctx, 0)

		By("coming back")
		t.do(chromedp.NavigateBack())
		t.expectLive()
		t.expectMoving()
	}, SpecTimeout(specTime))

	It("is drawn without the relay, says that it is gone, and goes on when it is back", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		Expect(s.Relay.Stop()).To(Succeed())
		t := s.viewer(ctx)
		t.complaints.allow(relayIsGone)
		Eventually(t.number("performance.getEntriesByName('first-contentful-paint').length")).Should(BeEquivalentTo(1))
		Expect(t.number(`performance.getEntriesByType('resource').reduce((sum, e) => sum + e.encodedBodySize, 0)`)()).
			To(And(BeNumerically(">", 10_000), BeNumerically("<", 150_000)), "bytes of the page")
		t.signIn(s.owner)
		Eventually(t.text("#login-error")).Should(ContainSubstring("relay cannot be reached"))
		Expect(s.StartRelay(ctx)).To(Succeed())
		t.signIn(s.owner)
		Eventually(t.text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))
})

// expectApps says how many apps the relay has.
func (s *stage) expectApps(ctx SpecContext, n int) {
	GinkgoHelper()
	Eventually(func() (int, error) {
		stats, err := s.RelayStats(ctx, s.owner)
		return stats.Apps, err
	}).WithContext(ctx).WithTimeout(20*time.Second).Should(Equal(n), "apps on the relay")
}
