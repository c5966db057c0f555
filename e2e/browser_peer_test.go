package e2e

import (
	_ "embed"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
)

//go:embed browser/peer.js
var peerScript string

// meet opens a page in which its end of a session meets a robot; see browser/peer.js.
func meet(ctx SpecContext) *browser.Tab {
	GinkgoHelper()
	t := chromium.Visit(servePage(ctx, "ws://127.0.0.1:9"), peerScript)
	await(t, "meet()")
	return t
}

// await lets the page do something, and waits until it is done.
func await(t *browser.Tab, work string) {
	GinkgoHelper()
	_, err := browser.Evaluate[bool](t, "(async () => { await ("+work+"); return true; })()")()
	Expect(err).NotTo(HaveOccurred())
}

var _ = inBrowser("The page's end of a session", func() {
	It("takes candidates that come before the offer, and answers an offer that comes twice the same", func(ctx SpecContext) {
		t := meet(ctx)
		await(t, `(async () => {
			const offer = await met.offer();
			await met.gathered;
			met.candidates.forEach((c) => met.page.candidate(c));
			met.page.offer(offer);
			met.page.offer(offer);
		})()`)
		Eventually(t.Number("met.answers.length")).Should(BeEquivalentTo(2))
		Expect(t.Number("new Set(met.ufrags()).size")()).To(BeEquivalentTo(1))
		await(t, "met.accept(met.answers[1])")
		Eventually(browser.Evaluate[string](t, "met.state")).Should(Equal("connected"))
		Eventually(browser.Evaluate[[]string](t, "met.channels")).Should(Equal([]string{"control"}))
	}, SpecTimeout(specTime))

	It("answers an offer that comes while the last is being answered", func(ctx SpecContext) {
		t := meet(ctx)
		await(t, `(async () => {
			const offers = [await met.offer(), await met.offer({ iceRestart: true })];
			offers.forEach((offer) => met.page.offer(offer));
			met.robot.onicecandidate = ({ candidate }) => met.page.candidate(candidate ?? { candidate: '' });
			met.candidates.forEach((c) => met.page.candidate(c));
		})()`)
		Eventually(t.Number("new Set(met.ufrags()).size")).Should(BeEquivalentTo(2))
		await(t, "met.accept(met.answers[1])")
		Eventually(browser.Evaluate[string](t, "met.state")).Should(Equal("connected"))
		Expect(browser.Evaluate[string](t, "String(met.failed)")()).To(Equal("null"))
	}, SpecTimeout(specTime))
})
