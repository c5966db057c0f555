//go:build linux

package networks

import (
	"context"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

var _ = Describe("An owner who watches in a browser", Label("networks", "browser"), func() {
	It("reads how old the picture is while there is no network, and sees it move again, also from another network", func(ctx SpecContext) {
		w := afar(ctx, rules{}, rules{})
		elsewhere := newSite(ctx, "elsewhere", "198.51.100.103", "172.16.5", rules{})
		t := w.browse(ctx)
		id := w.session(ctx)

		By("pulling the cable")
		t.WatchGap()
		pulled := time.Now()
		putBack := w.away.pull(ctx)
		Eventually(t.Text("#veil")).Should(MatchRegexp(`The picture stands still: video is [1-9] s old`))
		Expect(t.Text("#badge")()).To(BeEmpty(), "what stands still is not live")
		Eventually(t.Text("#status")).Should(MatchRegexp(`Reconnecting, video is [1-9]\d* s old\s+This device has no network: check its Wi-Fi.`))
		putBack()
		w.expectAgain(ctx, t, id, time.Since(pulled)+3*time.Second)

		By("moving to another network")
		t.WatchGap()
		Expect(w.app.IP(ctx, "link delete wlan0")).To(Succeed())
		elsewhere.join(ctx, w.app, "wlan1")
		Eventually(t.Text("#stage")).Should(MatchRegexp(`video is [1-9] s old`))
		w.expectAgain(ctx, t, id, 5*time.Second)
		t.Leave()
		w.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("sees the picture by itself when the lid is opened again, long after the relay has given up", func(ctx SpecContext) {
		w := newWorld(ctx, rules{}, rules{})
		w.away.join(ctx, w.app, "wlan0")
		w.start(ctx, harness.Options{Grace: time.Second})
		t := w.browse(ctx)
		id := w.session(ctx)

		By("closing the lid")
		wake := sleep(ctx, w.app)
		restore := silence(ctx, w.away.router)
		w.Forget(awayIP)
		asleep := time.After(6 * time.Second)
		w.expectNothingLeft(ctx)
		Eventually(asleep).Should(Receive())

		By("opening it")
		wake()
		restore()
		t.WatchGap()
		Eventually(w.sessions).WithContext(ctx).Should(ConsistOf(Not(Equal(id))), "another session")
		t.ExpectMoving()
		t.ExpectLive()
		t.ExpectNoGap(8 * time.Second)
		t.ExpectHonest()
	}, SpecTimeout(specTime))
})

// browse opens the page on the app's machine, which serves it as well, and signs in.
func (w *world) browse(ctx SpecContext) *browser.Tab {
	GinkgoHelper()
	chromium := browser.Start(w.app.Prefix()...)
	DeferCleanup(chromium.Close)
	server, err := in(w.app).Viewer(ctx, "127.0.0.1:0", w.RelayURL(), "", GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Stop)
	t := chromium.Visit(server.URL("/"))
	t.Allow(browser.RelayIsGone)
	t.SignIn(w.owner)
	t.ExpectLive()
	t.ExpectMoving()
	return t
}

// sessions are those of the robot.
func (w *world) sessions(ctx context.Context) (ids []wire.SessionID, err error) {
	status, err := w.robotStatus(ctx)
	for _, s := range status.Sessions {
		ids = append(ids, s.SessionID)
	}
	return ids, err
}

// session is the only one of the robot.
func (w *world) session(ctx SpecContext) wire.SessionID {
	GinkgoHelper()
	ids, err := w.sessions(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(ids).To(HaveLen(1))
	return ids[0]
}

// expectAgain says that the page's picture moves again as it did, by itself, and that
// it never stood still for as long as this.
func (w *world) expectAgain(ctx SpecContext, t *browser.Tab, id wire.SessionID, within time.Duration) {
	GinkgoHelper()
	t.ExpectMoving()
	t.ExpectLive()
	t.ExpectNoGap(within)
	t.ExpectHonest()
	Eventually(t.Text("#veil")).Should(BeEmpty())
	Expect(t.Text("#badge")()).To(Equal("Live"))
	Expect(t.Number("observer.peers.length")()).To(BeEquivalentTo(1), "peer connections of the page")
	w.expectSession(ctx, id)
}

// sleep stops everything that runs on a machine, until it is woken.
func sleep(ctx SpecContext, m harness.Netns) (wake func()) {
	GinkgoHelper()
	wake = func() {
		GinkgoHelper()
		Expect(m.Signal(context.WithoutCancel(ctx), syscall.SIGCONT)).To(Succeed())
	}
	DeferCleanup(wake)
	Expect(m.Signal(ctx, syscall.SIGSTOP)).To(Succeed())
	return wake
}
