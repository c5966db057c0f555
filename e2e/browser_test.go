package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

var _ = Describe("An owner with a browser", Label("browser"), func() {
	It("signs in and sees the robot's picture move", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		tab := s.viewer(ctx)
		signIn(tab, s.owner.Email, s.owner.Password)

		Eventually(shown(tab)).Should(Equal("live"))
		Eventually(evaluate[int](tab, framesShown)).Should(BeNumerically(">=", 30))
		Expect(evaluate[int](tab, "document.querySelector('video').videoWidth")()).To(Equal(1280))
		Eventually(text(tab, "#figure-fps")).Should(MatchRegexp(`1[45]`))
		Eventually(text(tab, "#figure-bitrate")).Should(MatchRegexp(`[0-9]`))
		screenshot(tab, "viewer")

		Expect(chromedp.Do(tab, chromedp.Navigate("about:blank"))).To(Succeed())
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("keeps the picture while TURN credentials are renewed", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{TTL: 10 * time.Second})
		tab := s.viewer(ctx)
		signIn(tab, s.owner.Email, s.owner.Password)
		Eventually(shown(tab)).Should(Equal("live"))
		Eventually(func() (int, error) {
			issued, _, err := s.Ledger(ctx)
			return len(issued), err
		}).Should(BeNumerically(">=", 2))
		before, err := evaluate[int](tab, framesShown)()
		Expect(err).NotTo(HaveOccurred())
		Eventually(evaluate[int](tab, framesShown)).Should(BeNumerically(">=", before+30))
		Expect(shown(tab)()).To(Equal("live"))
	}, SpecTimeout(specTime))

	It("is told in words when the password is wrong", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		tab := s.viewer(ctx)
		signIn(tab, s.owner.Email, "not the password")
		Eventually(text(tab, "#login-error")).Should(ContainSubstring("password"))
	}, SpecTimeout(specTime))

	It("is told in words that the robot is off, and sees it when it comes", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		tab := s.viewer(ctx)
		signIn(tab, s.owner.Email, s.owner.Password)
		Eventually(text(tab, "#status")).Should(ContainSubstring("offline"))
		screenshot(tab, "offline")
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		Eventually(shown(tab)).Should(Equal("live"))
	}, SpecTimeout(specTime))
})

// framesShown counts the pictures that were put on the screen.
const framesShown = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"

// viewer serves the page for the system's relay and opens it in Chromium.
func (s *stage) viewer(ctx SpecContext) (tab context.Context) {
	GinkgoHelper()
	chromium, err := exec.LookPath("chromium")
	Expect(err).NotTo(HaveOccurred(), "chromium is missing: run make setup")
	page, err := binaries.Viewer(ctx, "127.0.0.1:0", s.RelayURL(), "", GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(page.Stop)

	browser, stop := chromedp.NewExecAllocator(context.WithoutCancel(ctx),
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
	)
	tab, closeTab := chromedp.NewContext(browser)
	DeferCleanup(func() {
		closeTab()
		stop()
	})
	Expect(chromedp.Do(tab, chromedp.Navigate(page.URL("/")))).To(Succeed())
	return tab
}

func signIn(tab context.Context, email, password string) {
	GinkgoHelper()
	Expect(chromedp.Do(tab,
		chromedp.WaitVisible("#login"),
		chromedp.SendKeys("#email", email),
		chromedp.SendKeys("#password", password),
		chromedp.Click("#login button[type=submit]"),
	)).To(Succeed())
}

// evaluate returns a function that asks the page, for Eventually.
func evaluate[T any](tab context.Context, expression string) func() (T, error) {
	return func() (T, error) {
		ctx, cancel := context.WithTimeout(tab, 5*time.Second)
		defer cancel()
		return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	}
}

// shown is the state the page is in.
func shown(tab context.Context) func() (string, error) {
	return evaluate[string](tab, "document.body.dataset.state")
}

func text(tab context.Context, selector string) func() (string, error) {
	return evaluate[string](tab, "document.querySelector('"+selector+"').innerText")
}

// screenshot keeps what the page looks like, for people.
func screenshot(tab context.Context, name string) {
	GinkgoHelper()
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	Expect(err).NotTo(HaveOccurred())
	Expect(os.MkdirAll("artifacts", 0o750)).To(Succeed())
	Expect(os.WriteFile(filepath.Join("artifacts", name+".png"), png, 0o600)).To(Succeed())
}
