package browser

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ExpectGood looks at the page in every window: everybody can use it, with and
// without a mouse, it is as wide as the window, and pictures of it are kept.
func (t *Tab) ExpectGood(state string) {
	GinkgoHelper()
	for _, w := range viewports {
		t.Resize(w)
		when := state + ", " + w.name
		t.Screenshot(state + "-" + w.name)
		Expect(t.Number("document.documentElement.scrollWidth - innerWidth")()).To(BeNumerically("<=", 0), "too wide: "+when)
		if w.checked {
			t.ExpectAccessible(when)
			t.ExpectKeyboard(when)
		}
	}
	t.Resize(viewports[0])
}
