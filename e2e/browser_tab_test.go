package e2e

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

//go:embed browser/observer.js
var observer string

// tab is the page in a browser of its own: what a visitor does and sees.
type tab struct {
	life       context.Context //nolint:containedctx // as chromedp wants it
	complaints *complaints
	talk       *talk
}

// answerTime bounds what the page is asked; it answers at once, or hangs.
const answerTime = 10 * time.Second

// viewer serves the page for the system's relay and opens it.
func (s *stage) viewer(ctx SpecContext, scripts ...string) *tab {
	GinkgoHelper()
	return visit(ctx, s.page(ctx), scripts...)
}

// page serves the page for the system's relay.
func (s *stage) page(ctx SpecContext) (url string) {
	GinkgoHelper()
	return servePage(ctx, s.RelayURL())
}

func servePage(ctx SpecContext, relayURL string) (url string) {
	GinkgoHelper()
	server, err := binaries.Viewer(ctx, "127.0.0.1:0", relayURL, "", GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Stop)
	return server.URL("/")
}

// visit opens the page. The scripts run before its own do. At the end of the spec
// the page must not have complained of anything.
func visit(_ SpecContext, url string, scripts ...string) *tab {
	GinkgoHelper()
	t := &tab{complaints: &complaints{}, talk: &talk{}}
	life, closeTab := chromedp.NewContext(chromium.life,
		chromedp.WithNewBrowserContext(), chromedp.WithListener(t.complaints.hear), chromedp.WithListener(t.talk.hear))
	DeferCleanup(closeTab)
	t.life = life
	Expect(chromedp.Do(life)).To(Succeed())
	t.complaints.listen(t)
	t.resize(viewports[0])
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			t.screenshot("failed-" + string(chromedp.FromContext(t.life).Target.TargetID))
		}
		t.complaints.expectNone()
	})
	for _, script := range append([]string{observer}, scripts...) {
		_, err := chromedp.Call(life, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		Expect(err).NotTo(HaveOccurred())
	}
	t.do(chromedp.Navigate(url))
	return t
}

// do acts as the visitor.
func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.life, answerTime)
	defer cancel()
	Expect(chromedp.Do(ctx, steps...)).To(Succeed())
}

// evaluate returns a function that asks the page, for Eventually; what is a promise
// is awaited.
func evaluate[T any](t *tab, expression string) func() (T, error) {
	return func() (T, error) {
		ctx, cancel := context.WithTimeout(t.life, answerTime)
		defer cancel()
		return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	}
}

// number asks for a number.
func (t *tab) number(expression string) func() (float64, error) {
	return evaluate[float64](t, expression)
}

// click clicks on an element once it can be.
func (t *tab) click(selector string) {
	GinkgoHelper()
	t.do(chromedp.Click(selector, chromedp.NodeVisible))
}

// again presses the button, which may go away just then: the page tries by itself, too.
func (t *tab) again() {
	GinkgoHelper()
	t.run("document.querySelector('#again').click()")
}

// run lets the page do something.
func (t *tab) run(script string) {
	GinkgoHelper()
	_, err := evaluate[bool](t, "(() => {"+script+"; return true; })()")()
	Expect(err).NotTo(HaveOccurred())
}

// signIn waits for the form, fills it in and sends it.
func (t *tab) signIn(user harness.User) {
	GinkgoHelper()
	Eventually(t.state).Should(Equal("login"))
	t.fill("#email", user.Email)
	t.fill("#password", user.Password)
	t.click("#login button[type=submit]")
}

// fill types into a field what is to be in it.
func (t *tab) fill(selector, text string) {
	GinkgoHelper()
	t.do(chromedp.Focus(selector))
	t.run("document.querySelector('" + selector + "').select()")
	_, err := chromedp.Call(t.life, input.InsertText, input.InsertTextParams{Text: text})
	Expect(err).NotTo(HaveOccurred())
}

// state is the state the page is in.
func (t *tab) state() (string, error) { return evaluate[string](t, "document.body.dataset.state")() }

// expectLive says that the video is there.
func (t *tab) expectLive() {
	GinkgoHelper()
	Eventually(t.state).WithTimeout(20 * time.Second).Should(Equal("live"))
}

// expectMoving says that more pictures come.
func (t *tab) expectMoving() {
	GinkgoHelper()
	before, err := t.number("observer.count")()
	Expect(err).NotTo(HaveOccurred())
	Eventually(t.number("observer.count")).Should(BeNumerically(">=", before+15), "pictures shown")
}

// text returns what an element says to the eye.
func (t *tab) text(selector string) func() (string, error) {
	return evaluate[string](t, "(e => e.checkVisibility() ? e.innerText : '')(document.querySelector('"+selector+"'))")
}

// leave closes the page, as a visitor does who goes elsewhere.
func (t *tab) leave() {
	GinkgoHelper()
	t.do(chromedp.Navigate("about:blank"))
}

// A viewport is what the page is seen in.
type viewport struct {
	name          string
	width, height int64
	phone, dark   bool
	checked       bool // for who can use the page in it; colours and sizes are checked once each
}

var viewports = []viewport{
	{name: "desktop-light", width: 1280, height: 900, checked: true},
	{name: "desktop-dark", width: 1280, height: 900, dark: true},
	{name: "phone-light", width: 390, height: 844, phone: true},
	{name: "phone-dark", width: 390, height: 844, phone: true, dark: true, checked: true},
}

// resize shows the page in another window.
func (t *tab) resize(w viewport) {
	GinkgoHelper()
	scheme := "light"
	if w.dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(t.life, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: w.width, Height: w.height, DeviceScaleFactor: 1, Mobile: w.phone,
	})
	Expect(err).NotTo(HaveOccurred())
	_, err = chromedp.Call(t.life, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	Expect(err).NotTo(HaveOccurred())
}

// screenshot keeps what the page looks like, for people.
func (t *tab) screenshot(name string) {
	GinkgoHelper()
	png, err := chromedp.Run(t.life, chromedp.CaptureScreenshot())
	Expect(err).NotTo(HaveOccurred())
	Expect(os.MkdirAll("artifacts", 0o750)).To(Succeed())
	Expect(os.WriteFile(filepath.Join("artifacts", name+".png"), png, 0o600)).To(Succeed())
}
