package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// expectGood looks at the page in every window: everybody can use it, with and
// without a mouse, it is as wide as the window, and pictures of it are kept.
func (t *tab) expectGood(state string) {
	GinkgoHelper()
	for _, w := range viewports {
		t.resize(w)
		when := state + ", " + w.name
		t.screenshot(state + "-" + w.name)
		Expect(t.number("document.documentElement.scrollWidth - innerWidth")()).To(BeNumerically("<=", 0), "too wide: "+when)
		if w.phone {
			Expect(evaluate[[]string](t, smallTargets)()).To(BeEmpty(), "too small for a finger: "+when)
		}
		if w.checked {
			t.expectAccessible(when)
			t.expectKeyboard(when)
		}
	}
	t.resize(viewports[0])
}

// smallTargets are the things to press that a finger would miss: below 44 pixels.
const smallTargets = `[...document.querySelectorAll('button, select, input, summary')]
	.filter((e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}))
	.map((e) => [e.id || e.innerText, e.getBoundingClientRect()])
	.filter(([, {width, height}]) => Math.min(width, height) < 43.5)
	.map(([name, {width, height}]) => name + ' ' + width + 'x' + height)`

var _ = inBrowser("The page", func() {
	It("can be used by everybody, in every state, on a desktop and on a phone, light and dark", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		_, err := s.AddDevice(ctx, "wimz_other", s.owner)
		Expect(err).NotTo(HaveOccurred())
		t := s.viewer(ctx)
		Eventually(t.state).Should(Equal("login"))
		t.expectGood("login")
		t.signIn(s.owner)
		Eventually(t.state).Should(Equal("idle"))
		t.expectGood("list")
		t.click("#pair-open")
		t.expectGood("pairing")
		t.click("#pair-cancel")
		t.choose(robotID)
		t.expectLive()
		t.expectGood("live")
		t.click("#statistics-toggle")
		t.expectGood("statistics")
		t.choose("wimz_other")
		Eventually(t.text("#status")).Should(ContainSubstring("offline"))
		t.expectGood("offline")
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
		t.click("#take-wheel")
		for _, w := range []viewport{
			{name: "wide", width: 1440, height: 900},
			{name: "laptop", width: 1280, height: 720},
			{name: "low", width: 1024, height: 600},
			{name: "phone", width: 390, height: 844, phone: true},
			{name: "small-phone", width: 320, height: 640, phone: true},
		} {
			t.resize(w)
			t.screenshot("drive-" + w.name)
			Expect(evaluate[[]string](t, misplaced)()).To(BeEmpty(), w.name)
		}
	}, SpecTimeout(specTime))
})
