// Package browser is Chromium and the page in it, for specs: what a visitor does
// and sees. It fails the spec that is running.
package browser

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Chromium is a browser process. Each [Tab] has a profile of its own in it, as an
// incognito window has.
type Chromium struct {
	life context.Context //nolint:containedctx // as chromedp wants it
	end  context.CancelFunc
	axe  string // axe-core's source, once it was needed
}

// Missing says that there is no Chromium, and what to do.
const Missing = "Chromium is missing, so nothing is tested in a browser: run make setup"

// flags keep Chromium quiet, on this machine, and willing to play without anybody's
// click.
var flags = append(chromedp.DefaultExecAllocatorOptions[:],
	chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("no-proxy-server", true),
	chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	chromedp.Flag("disable-features", "Translate,WebRtcHideLocalIpsWithMdns"),
	chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
)

// Start starts Chromium; the prefix, if any, is what its command line begins with.
// Without one installed the spec is skipped, but not where everything must be tested
// (CI=true). The caller calls [Chromium.Close].
func Start(prefix ...string) *Chromium {
	GinkgoHelper()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "true" {
		Skip(Missing)
	}
	Expect(err).NotTo(HaveOccurred(), Missing)
	options := append(slices.Clone(flags), chromedp.ExecPath(path))
	if len(prefix) > 0 {
		options = append(options, chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			before := exec.Command(prefix[0], prefix[1:]...)
			c.Path, c.Args, c.Err = before.Path, append(before.Args, c.Args...), before.Err
		}))
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	life, cancel := chromedp.NewContext(allocator)
	c := &Chromium{life: life, end: func() { cancel(); end() }}
	if err = chromedp.Do(life); err != nil {
		c.end()
	}
	Expect(err).NotTo(HaveOccurred())
	return c
}

// Close ends the browser and waits for it.
func (c *Chromium) Close() error {
	within, cancel := context.WithTimeout(c.life, 10*time.Second)
	defer cancel()
	err := chromedp.Cancel(within)
	c.end()
	return err
}
