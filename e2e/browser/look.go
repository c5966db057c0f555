package browser

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ExpectGood looks at the page in every window: everybody can use it, with and
// without a mouse or with a finger, it is as wide as the window, and pictures of it are
// kept.
func (t *Tab) ExpectGood(state string) {
	GinkgoHelper()
	for _, w := range viewports {
		t.Resize(w)
		when := state + ", " + w.Name
		t.Screenshot(state + "-" + w.Name)
		Expect(t.Number("document.documentElement.scrollWidth - innerWidth")()).To(BeNumerically("<=", 0), "too wide: "+when)
		if w.Phone {
			Expect(Evaluate[[]string](t, smallTargets)()).To(BeEmpty(), "too small for a finger: "+when)
		}
		if w.checked {
			t.ExpectAccessible(when)
			t.ExpectKeyboard(when)
		}
	}
	t.Resize(viewports[0])
}

// smallTargets are the things to press that a finger would miss: below 44 pixels.
const smallTargets = `[...document.querySelectorAll('button, select, input, summary')]
	.filter((e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}))
	.map((e) => [e.id || e.innerText, e.getBoundingClientRect()])
	.filter(([, {width, height}]) => Math.min(width, height) < 43.5)
	.map(([name, {width, height}]) => name + ' ' + width + 'x' + height)`
