package e2e

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// lighthouse is the part of Chromium's own developer tools that has axe-core in it,
// as a text: Chromium brings the checker along (MPL 2.0), and we need no copy.
const lighthouse = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js"

// axe is axe-core's source.
var axe string

// loadAxe reads axe-core out of the browser, once.
func loadAxe() string {
	GinkgoHelper()
	if axe != "" {
		return axe
	}
	life, closeTab := chromedp.NewContext(chromium.life)
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
	axe, err = chromedp.Run(life, chromedp.Evaluate[string](literal[:end+1]))
	Expect(err).NotTo(HaveOccurred())
	return axe
}

// expectAccessible says that axe-core finds nothing wrong with what is shown: WCAG
// 2.2 A and AA, and its best practices.
func (t *tab) expectAccessible(when string) {
	GinkgoHelper()
	if there, err := evaluate[bool](t, "'axe' in window")(); err != nil || !there {
		t.run(loadAxe())
	}
	findings, err := evaluate[[]string](t, `axe.run(document, {
		preload: false, resultTypes: ['violations'],
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}).then(({ violations, passes }) => [
		...(passes.length < 10 ? ['almost nothing was checked'] : []),
		...violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)),
	])`)()
	Expect(err).NotTo(HaveOccurred())
	Expect(findings).To(BeEmpty(), "what axe-core finds, "+when)
}

// walk is what is passed with the Tab key, from the top of the page to its end.
type walk struct {
	Missed  []string `json:"missed"`  // controls that are not reached
	Unseen  []string `json:"unseen"`  // do not show that they have the focus
	Nowhere []string `json:"nowhere"` // have the focus and are not on the screen
	Steps   int      `json:"steps"`
}

// expectKeyboard says that every control can be reached with the Tab key, shows
// it, and lets the focus go on.
func (t *tab) expectKeyboard(when string) {
	GinkgoHelper()
	controls, err := t.number(`(() => {
		const scope = document.querySelector('dialog[open]') ?? document.body;
		scope.tabIndex = -1; // the walk begins here
		scope.focus();
		scope.removeAttribute('tabindex');
		const all = 'a[href], button, input, select, textarea, summary, [tabindex]';
		window.observer.controls = [...scope.querySelectorAll(all)].filter((e) => !e.disabled && e.tabIndex >= 0
			&& e.checkVisibility({ visibilityProperty: true }) && e.type !== 'radio');
		window.observer.walked = [];
		return window.observer.controls.length;
	})()`)()
	Expect(err).NotTo(HaveOccurred())
	var at string
	steps := 0
	for ; steps < 2*int(controls)+5; steps++ {
		t.do(chromedp.KeyEvent("\t"))
		at, err = evaluate[string](t, `(() => {
			const e = document.activeElement;
			const { walked } = window.observer;
			if (!e || e === document.body || walked.some((w) => w.element === e)) return 'end';
			const style = getComputedStyle(e);
			const box = e.getBoundingClientRect();
			walked.push({
				element: e,
				seen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none',
				there: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
			});
			return e.outerHTML.slice(0, 80);
		})()`)()
		Expect(err).NotTo(HaveOccurred())
		if at == "end" {
			break
		}
	}
	w, err := evaluate[walk](t, `(() => {
		const { walked, controls } = window.observer;
		const name = (e) => e.outerHTML.slice(0, 90);
		return {
			missed: controls.filter((c) => !walked.some((w) => w.element === c)).map(name),
			unseen: walked.filter((w) => !w.seen).map((w) => name(w.element)),
			nowhere: walked.filter((w) => !w.there).map((w) => name(w.element)),
			steps: walked.length,
		};
	})()`)()
	Expect(err).NotTo(HaveOccurred())
	Expect(at).To(Equal("end"), "the focus goes round, "+when)
	Expect(w.Missed).To(BeEmpty(), "not reached, "+when)
	Expect(w.Unseen).To(BeEmpty(), "the focus is not seen, "+when)
	Expect(w.Nowhere).To(BeEmpty(), "the focus is off the screen, "+when)
	Expect(w.Steps).To(BeNumerically(">=", controls), fmt.Sprint("steps, ", when))
}
