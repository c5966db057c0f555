package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("The page", func() {
	It("can be used by everybody, in every state, on a desktop and on a phone, light and dark", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		_, err := s.AddDevice(ctx, "wimz_other", s.owner)
		Expect(err).NotTo(HaveOccurred())
		t := s.viewer(ctx)
		Eventually(t.State).Should(Equal("login"))
		t.ExpectGood("login")
		t.SignIn(s.owner)
		Eventually(t.State).Should(Equal("idle"))
		t.ExpectGood("list")
		t.Click("#pair-open")
		t.ExpectGood("pairing")
		t.Click("#pair-cancel")
		t.Choose(robotID)
		t.ExpectLive()
		t.ExpectGood("live")
		t.Click("#statistics-toggle")
		t.ExpectGood("statistics")
		t.Choose("wimz_other")
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		Expect(t.Text("#statistics")()).NotTo(ContainSubstring("per second"), "those were the other robot's")
		t.ExpectGood("offline")
	}, SpecTimeout(specTime))
})

// misplaced is what of the driver's panel is outside of it or of the window, or
// stands over the picture.
const misplaced = `(() => {
	const box = (selector) => document.querySelector(selector).getBoundingClientRect();
	const panel = box('#drive'), video = box('video'), drawn = video.width * 9 / 16;
	const wrong = ['#drive-pad', '#take-wheel', '#emergency-stop', '#drive-limit'].filter((part) => {
		const { left, right, top, bottom } = box(part);
		return left < panel.left || right > panel.right || top < panel.top || bottom > Math.min(panel.bottom, innerHeight);
	});
	if (panel.left < 0 || panel.right > innerWidth) wrong.push('the panel');
	if (panel.top < video.bottom - Math.max(0, video.height - drawn) / 2) wrong.push('over the picture');
	return wrong;
})()`

var _ = inBrowser("The driver's panel", func() {
	It("is whole and leaves the picture free, in every window", func(ctx SpecContext) {
		_, _, t := atTheWheel(ctx)
		t.Click("#take-wheel")
		for _, w := range []browser.Viewport{
			{Name: "wide", Width: 1440, Height: 900},
			{Name: "laptop", Width: 1280, Height: 720},
			{Name: "low", Width: 1024, Height: 600},
			{Name: "phone", Width: 390, Height: 844, Phone: true},
			{Name: "small-phone", Width: 320, Height: 640, Phone: true},
		} {
			t.Resize(w)
			t.Screenshot("drive-" + w.Name)
			Expect(browser.Evaluate[[]string](t, misplaced)()).To(BeEmpty(), w.Name)
		}
	}, SpecTimeout(specTime))
})
