package browser

import (
	_ "embed"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

//go:embed keyboard.js
var keyboard string

// walk is what a walk with the Tab key has shown.
type walk struct {
	Missed  []string `json:"missed"`  // controls that are not reached
	Unseen  []string `json:"unseen"`  // controls that do not show that they have the focus
	Nowhere []string `json:"nowhere"` // controls that have the focus and are not on the screen
}

// ExpectKeyboard says that every control can be reached with the Tab key, shows that
// it has the focus, and lets it go on.
func (t *Tab) ExpectKeyboard(when string) {
	GinkgoHelper()
	t.Run(keyboard)
	controls, err := t.Number("keyboard.begin()")()
	Expect(err).NotTo(HaveOccurred())
	Expect(controls).To(BeNumerically(">", 0), when)
	on := true
	for steps := 0; on; steps++ {
		Expect(steps).To(BeNumerically("<", 2*controls+5), "the focus is caught, "+when)
		t.Do(chromedp.KeyEvent("\t"))
		on, err = Evaluate[bool](t, "keyboard.step()")()
		Expect(err).NotTo(HaveOccurred())
	}
	w, err := Evaluate[walk](t, "keyboard.end()")()
	Expect(err).NotTo(HaveOccurred())
	Expect(w.Missed).To(BeEmpty(), "not reached, "+when)
	Expect(w.Unseen).To(BeEmpty(), "the focus is not seen, "+when)
	Expect(w.Nowhere).To(BeEmpty(), "the focus is off the screen, "+when)
}
