package e2e

import (
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("A page that is left open", func() {
	It("says that the robot is off, and shows it by itself when it comes, and when it is started anew", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		t.ExpectLive()
		t.ExpectMoving()

		By("starting the robot anew")
		Expect(s.Robots[robotID].Stop()).To(Succeed())
		Eventually(t.State).Should(Not(Equal("live")))
		another := s.viewer(ctx)
		another.SignIn(s.owner)
		Eventually(another.Text("#status")).Should(ContainSubstring("last seen just now"), "the relay has seen it")
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		t.ExpectLive()
		t.ExpectMoving()
	}, SpecTimeout(specTime))

	It("is hidden before the first picture comes, and shows it when it is looked at again", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.Minimize()
		t.SignIn(s.owner)
		s.expectSessions(ctx, 1)
		Consistently(t.State).WithContext(ctx).WithTimeout(12*time.Second).ShouldNot(Equal("error"), "the page's patience for a picture")
		s.expectSessions(ctx, 1)
		t.Restore()
		t.ExpectLive()
	}, SpecTimeout(specTime))

	It("notices nothing while the relay is restarted twice, is closed as ever, and comes back with the video", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		s.lossy = true // the first relay left its credential to expire
		t := s.viewer(ctx)
		t.Allow(browser.RelayIsGone)
		t.SignIn(s.owner)
		t.ExpectLive()
		t.WatchGap()
		for n := range 2 {
			s.restart(ctx)
			Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
			s.expectApps(ctx, 1)
			Eventually(t.Resumed).Should(BeNumerically(">", n))
			t.ExpectMoving()
		}
		s.expectSessions(ctx, 1)
		Expect(t.State()).To(Equal("live"))
		t.ExpectNoGap(noGap)
		t.Leave()
		s.expectSessions(ctx, 0)
		s.expectViewers(ctx, 0)

		By("coming back")
		t.Do(chromedp.NavigateBack())
		t.ExpectLive()
		t.ExpectMoving()
	}, SpecTimeout(specTime))

	It("says that the relay is away while the picture goes on without it, and no longer", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		s.lossy = true // the relay leaves its credential to expire
		_, err := s.AddDevice(ctx, "wimz_other", s.owner)
		Expect(err).NotTo(HaveOccurred())
		t := s.viewer(ctx)
		t.Allow(browser.RelayIsGone)
		t.SignIn(s.owner)
		t.Choose(robotID)
		t.ExpectLive()
		Expect(s.Relay.Stop()).To(Succeed())
		Eventually(t.Text("#relay-state")).Should(ContainSubstring("the picture goes on without it"))
		t.ExpectMoving()
		t.Choose("wimz_other")
		Eventually(t.Text("#status")).Should(ContainSubstring("relay"))
		Expect(t.Text("#relay-state")()).To(BeEmpty())
	}, SpecTimeout(specTime))

	It("is drawn without the relay, says that it is gone, and goes on when it is back", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		Expect(s.Relay.Stop()).To(Succeed())
		t := s.viewer(ctx)
		t.Allow(browser.RelayIsGone)
		Eventually(t.Number("performance.getEntriesByName('first-contentful-paint').length")).Should(BeEquivalentTo(1))
		Expect(t.Number(`performance.getEntriesByType('resource').reduce((sum, e) => sum + e.encodedBodySize, 0)`)()).
			To(And(BeNumerically(">", 10_000), BeNumerically("<", 150_000)), "bytes of the page")
		t.SignIn(s.owner)
		Eventually(t.Text("#login-error")).Should(ContainSubstring("relay cannot be reached"))
		Expect(s.StartRelay(ctx)).To(Succeed())
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
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
