package browser

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

//go:embed observer.js
var observer string

// Tab is the page in a profile of its own: what a visitor does and sees.
type Tab struct {
	// Life is what chromedp's own functions take.
	Life       context.Context //nolint:containedctx // as chromedp wants it
	chromium   *Chromium
	complaints *complaints
	talk       *talk
	lag        *harness.Lag // since WatchGap
}

// answerTime bounds what the page is asked; it answers at once, or hangs.
const answerTime = 10 * time.Second

// Visit opens a page. The scripts run before its own do. At the end of the spec the
// page must not have complained of anything.
func (c *Chromium) Visit(url string, scripts ...string) *Tab {
	GinkgoHelper()
	t := &Tab{chromium: c, complaints: &complaints{}, talk: &talk{}}
	life, closeTab := chromedp.NewContext(c.life,
		chromedp.WithNewBrowserContext(), chromedp.WithListener(t.complaints.hear), chromedp.WithListener(t.talk.hear))
	DeferCleanup(closeTab)
	t.Life = life
	Expect(chromedp.Do(life)).To(Succeed())
	t.complaints.listen(t)
	t.Resize(viewports[0])
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			t.Screenshot("failed-" + string(chromedp.FromContext(t.Life).Target.TargetID))
		}
		t.complaints.expectNone()
	})
	for _, script := range append([]string{observer}, scripts...) {
		_, err := chromedp.Call(life, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		Expect(err).NotTo(HaveOccurred())
	}
	t.Do(chromedp.Navigate(url))
	return t
}

// Do acts as the visitor.
func (t *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.Life, answerTime)
	defer cancel()
	Expect(chromedp.Do(ctx, steps...)).To(Succeed())
}

// Evaluate returns a function that asks the page, for Eventually; what is a promise
// is awaited.
func Evaluate[T any](t *Tab, expression string) func() (T, error) {
	return func() (T, error) {
		ctx, cancel := context.WithTimeout(t.Life, answerTime)
		defer cancel()
		return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	}
}

// Number asks for a number.
func (t *Tab) Number(expression string) func() (float64, error) {
	return Evaluate[float64](t, expression)
}

// Click clicks on an element once it can be.
func (t *Tab) Click(selector string) {
	GinkgoHelper()
	t.Do(chromedp.Click(selector, chromedp.NodeVisible))
}

// Again presses the button, which may go away just then: the page tries by itself, too.
func (t *Tab) Again() {
	GinkgoHelper()
	t.Run("document.querySelector('#again').click()")
}

// Run lets the page do something.
func (t *Tab) Run(script string) {
	GinkgoHelper()
	_, err := Evaluate[bool](t, "(() => {"+script+"; return true; })()")()
	Expect(err).NotTo(HaveOccurred())
}

// SignIn waits for the form, fills it in and sends it.
func (t *Tab) SignIn(user harness.User) {
	GinkgoHelper()
	Eventually(t.State).Should(Equal("login"))
	t.Fill("#email", user.Email)
	t.Fill("#password", user.Password)
	t.Click("#login button[type=submit]")
}

// Fill types into a field what is to be in it.
func (t *Tab) Fill(selector, text string) {
	GinkgoHelper()
	t.Do(chromedp.Focus(selector))
	t.Run("document.querySelector('" + selector + "').select()")
	_, err := chromedp.Call(t.Life, input.InsertText, input.InsertTextParams{Text: text})
	Expect(err).NotTo(HaveOccurred())
}

// State is the state the page is in.
func (t *Tab) State() (string, error) { return Evaluate[string](t, "document.body.dataset.state")() }

// ExpectLive says that the video is there.
func (t *Tab) ExpectLive() {
	GinkgoHelper()
	Eventually(t.State).WithTimeout(20 * time.Second).Should(Equal("live"))
}

// ExpectMoving says that more pictures come.
func (t *Tab) ExpectMoving() {
	GinkgoHelper()
	before, err := t.Number("observer.count")()
	Expect(err).NotTo(HaveOccurred())
	Eventually(t.Number("observer.count")).Should(BeNumerically(">=", before+15), "pictures shown")
}

// Text returns what an element says to the eye.
func (t *Tab) Text(selector string) func() (string, error) {
	return Evaluate[string](t, "(e => e.checkVisibility() ? e.innerText : '')(document.querySelector('"+selector+"'))")
}

// Leave closes the page, as a visitor does who goes elsewhere.
func (t *Tab) Leave() {
	GinkgoHelper()
	t.Do(chromedp.Navigate("about:blank"))
}

// A Viewport is what the page is seen in.
type Viewport struct {
	Name          string
	Width, Height int64 // in CSS pixels
	Phone, Dark   bool
	checked       bool // for who can use the page in it; colours and sizes are checked once each
}

var viewports = []Viewport{
	{Name: "desktop-light", Width: 1280, Height: 900, checked: true},
	{Name: "desktop-dark", Width: 1280, Height: 900, Dark: true},
	{Name: "phone-light", Width: 390, Height: 844, Phone: true},
	{Name: "phone-dark", Width: 390, Height: 844, Phone: true, Dark: true, checked: true},
}

// Resize shows the page in another window.
func (t *Tab) Resize(w Viewport) {
	GinkgoHelper()
	scheme := "light"
	if w.Dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(t.Life, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: w.Width, Height: w.Height, DeviceScaleFactor: 1, Mobile: w.Phone,
	})
	Expect(err).NotTo(HaveOccurred())
	_, err = chromedp.Call(t.Life, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	Expect(err).NotTo(HaveOccurred())
}

// Screenshot keeps what the page looks like, for people.
func (t *Tab) Screenshot(name string) {
	GinkgoHelper()
	png, err := chromedp.Run(t.Life, chromedp.CaptureScreenshot())
	Expect(err).NotTo(HaveOccurred())
	Expect(os.MkdirAll("artifacts", 0o750)).To(Succeed())
	Expect(os.WriteFile(filepath.Join("artifacts", name+".png"), png, 0o600)).To(Succeed())
}

// Minimize puts the browser's window away, and Restore brings it back.
func (t *Tab) Minimize() { t.window(browser.WindowStateMinimized) }

// Restore shows the window again.
func (t *Tab) Restore() { t.window(browser.WindowStateNormal) }

func (t *Tab) window(state browser.WindowState) {
	GinkgoHelper()
	t.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		w, err := cdp.Call(ctx, target, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, browser.SetWindowBounds,
			browser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &browser.Bounds{WindowState: state}})
		return err
	}))
}

// Downloads lets the browser save files, and returns where.
func (t *Tab) Downloads() (folder string) {
	GinkgoHelper()
	folder = GinkgoT().TempDir()
	t.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
			BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		return err
	}))
	return folder
}

// ReadClipboard lets the page read the clipboard, and returns what is in it.
func (t *Tab) ReadClipboard() string {
	GinkgoHelper()
	t.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted,
			BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		return err
	}))
	text, err := Evaluate[string](t, "navigator.clipboard.readText()")()
	Expect(err).NotTo(HaveOccurred())
	return text
}
