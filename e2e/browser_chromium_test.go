package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// chromium is the one browser process of a run. Each tab has a profile of its own
// in it, as an incognito window has.
var chromium struct {
	life    context.Context //nolint:containedctx // as chromedp wants it
	stop    context.CancelFunc
	missing bool
}

const noChromium = "Chromium is missing, so nothing is tested in a browser: run make setup"

// browserFlags keep Chromium quiet, on this machine, and willing to play without
// anybody's click.
var browserFlags = append(chromedp.DefaultExecAllocatorOptions[:],
	chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("no-proxy-server", true),
	chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	chromedp.Flag("disable-features", "Translate,WebRtcHideLocalIpsWithMdns"),
	chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
)

// inBrowser describes what is seen in Chromium. Without one its specs are skipped,
// but not where everything must be tested.
func inBrowser(text string, body func()) bool { //nolint:unparam // as Describe itself
	return Describe(text, Label("browser"), func() {
		BeforeEach(startChromium) // before a spec counts goroutines
		body()
	})
}

func startChromium() {
	GinkgoHelper()
	if chromium.life != nil {
		return
	}
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "true" {
		chromium.missing = true
		Skip(noChromium)
	}
	Expect(err).NotTo(HaveOccurred(), noChromium)
	allocator, end := chromedp.NewExecAllocator(context.Background(), append(browserFlags, chromedp.ExecPath(path))...)
	life, cancel := chromedp.NewContext(allocator)
	Expect(chromedp.Do(life)).To(Succeed())
	//nolint:fatcontext // the browser outlives the spec
	chromium.life, chromium.stop = life, func() { cancel(); end() }
}

var _ = AfterSuite(func() {
	if chromium.life == nil {
		return
	}
	within, cancel := context.WithTimeout(chromium.life, 10*time.Second)
	defer cancel()
	Expect(chromedp.Cancel(within)).To(Succeed())
	chromium.stop()
})

var _ = ReportAfterSuite("browser", func(Report) {
	if chromium.missing {
		_, _ = fmt.Fprintln(os.Stdout, noChromium)
	}
})
