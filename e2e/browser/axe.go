package browser

import (
	"strings"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// lighthouse is the part of Chromium's own developer tools that has axe-core in it,
// as a text: Chromium brings the checker along (MPL 2.0), and we need no copy.
const lighthouse = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js"

// loadAxe reads axe-core out of the browser, once.
func (c *Chromium) loadAxe() string {
	GinkgoHelper()
	if c.axe != "" {
		return c.axe
	}
	life, closeTab := chromedp.NewContext(c.life)
	defer closeTab()
	Expect(chromedp.Do(life, chromedp.Navigate(lighthouse))).To(Succeed())
	bundle, err := chromedp.Run(life, chromedp.Evaluate[string]("document.documentElement.textContent"))
	Expect(err).NotTo(HaveOccurred())
	begin := strings.Index(bundle, "`/*! axe v")
	Expect(begin).To(BeNumerically(">=", 0), "Chromium has no axe-core any more")
	literal := bundle[begin:]
	end := 1
	for literal[end] != '`' {
		if literal[end] == '\\' {
			end++
		}
		end++
	}
	c.axe, err = chromedp.Run(life, chromedp.Evaluate[string](literal[:end+1]))
	Expect(err).NotTo(HaveOccurred())
	return c.axe
}

// ExpectAccessible says that axe-core finds nothing wrong with what is shown: WCAG
// 2.2 A and AA, and its best practices.
func (t *Tab) ExpectAccessible(when string) {
	GinkgoHelper()
	if there, err := Evaluate[bool](t, "'axe' in window")(); err != nil || !there {
		t.Run(t.chromium.loadAxe())
	}
	findings, err := Evaluate[[]string](t, `axe.run(document, {
		preload: false, resultTypes: ['violations'],
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}).then(({ violations, passes }) => [
		...(passes.length < 10 ? ['almost nothing was checked'] : []),
		...violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)),
	])`)()
	Expect(err).NotTo(HaveOccurred())
	Expect(findings).To(BeEmpty(), "what axe-core finds, "+when)
}
