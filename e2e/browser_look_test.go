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
		if w.checked {
			t.expectAccessible(when)
			t.expectKeyboard(when)
		}
	}
	t.resize(viewports[0])
}

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
		Expect(t.text("#statistics")()).NotTo(ContainSubstring("per second"), "those were the other robot's")
		t.expectGood("offline")
	}, SpecTimeout(specTime))
})
