package e2e

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = Describe("An owner who drives with a browser", Label("browser"), func() {
	It("moves the robot while something is held, and not before the wheel is taken", func(ctx SpecContext) {
		_, motors, tab := atTheWheel(ctx)
		Expect(speeds(tab)()).To(Equal([]string{"0.5 0.5", "0.5 -0.5", "0.5 0", "-0.25 -0.5", "0 0"}))
		hold(tab, 'w')
		click(tab, "#take-wheel")
		hold(tab, 's')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.40 -0.40\nmotors -0.40 -0.40\n`), "frame after frame")
		Expect(motors.Out.Contents()).NotTo(ContainSubstring("motors +0.40"), "nobody had taken the wheel")
		tap(tab, ' ')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))

		letGo(tab, 's')
		letGo(tab, 'w')

		By("not driving with what is typed into a field")
		Expect(chromedp.Do(tab, chromedp.Focus("#drive-limit"))).To(Succeed())
		hold(tab, 'w')
		Expect(chromedp.Do(tab, chromedp.Focus("#drive-pad"))).To(Succeed())
		hold(tab, 'a')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.40 \+0.40\n`))
		Expect(motors.Out.Contents()).NotTo(ContainSubstring("motors +0.40 +0.40"))
		letGo(tab, 'a')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))

		By("driving with a hand on the pad")
		x, y := middle(tab, "#drive-pad")
		mouse(tab, chromedp.MousePressed, x, y-50)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.[23]\d \+0.[23]\d\n`))
		mouse(tab, chromedp.MouseMoved, x+300, y)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 -0.40\n`))
		mouse(tab, chromedp.MouseReleased, x+300, y)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
		screenshot(tab, "drive")
	}, SpecTimeout(specTime))

	It("gives the wheel back when nobody looks at the page", func(ctx SpecContext) {
		_, motors, tab := atTheWheel(ctx)
		click(tab, "#take-wheel")
		hold(tab, 'w')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 \+0.40\n`))
		window(tab, browser.WindowStateMinimized)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
		Eventually(text(tab, "#drive-state")).Should(ContainSubstring("lost the focus"))

		By("not driving on with the key that is still held")
		window(tab, browser.WindowStateNormal)
		click(tab, "#take-wheel")
		hold(tab, 's')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`^motors -0.40 -0.40\n`))
	}, SpecTimeout(specTime))

	It("reads who has the wheel, and what to do", func(ctx SpecContext) {
		s, motors, tab := atTheWheel(ctx)
		another := s.watch(ctx, simapp.Options{Device: robotID})
		click(tab, "#take-wheel")
		hold(tab, 'w')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 \+0.40\n`))
		stopDriving := drive(another, -0.5, -0.5)
		defer stopDriving()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`stop: another viewer takes over\n`))
		Eventually(text(tab, "#drive-state")).Should(ContainSubstring("Another viewer drives now"))
		driven := len(motors.Out.Contents())
		Eventually(func() int { return len(motors.Out.Contents()) }).WithContext(ctx).Should(
			BeNumerically(">", driven+10*len("motors -0.50 -0.50\n")))
		Expect(string(motors.Out.Contents())).NotTo(ContainSubstring("stop: by viewer"), "it would be the other's")

		click(tab, "#emergency-stop")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`emergency_stop: by viewer\n`))
		Eventually(text(tab, "#drive-state")).Should(ContainSubstring("Emergency stop sent"))

		motors.Kill()
		Eventually(motors.Exited).WithContext(ctx).Should(BeClosed())
		letGo(tab, 'w')
		click(tab, "#take-wheel")
		hold(tab, 'w')
		Eventually(text(tab, "#drive-state")).Should(ContainSubstring("its own software is not running"))
	}, SpecTimeout(specTime))
})

var _ = Describe("An owner who wants to know", Label("browser"), func() {
	It("sees how the picture comes, and copies it without addresses", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		tab := s.viewer(ctx)
		signIn(tab, s.owner.Email, s.owner.Password)
		click(tab, "#statistics-toggle")
		Eventually(text(tab, "#statistics-charts .chart-now")).Should(MatchRegexp(`^1[456] per second$`))
		Eventually(label(tab, "#statistics-charts svg")).Should(MatchRegexp(`^Frame rate: 1[456] per second, `))
		Expect(text(tab, "#statistics-path-words")()).To(Equal("Direct (udp)"))
		Expect(label(tab, ".route")()).To(Equal("Direct (udp): This browser, Robot"))
		Expect(evaluate[int](tab, "document.querySelectorAll('.stack rect').length")()).To(Equal(5))
		screenshot(tab, "statistics")

		copied := copyStatistics(tab)
		var got struct {
			Browser string
			Phases  []struct {
				Phase string
				MS    float64
			}
			Seconds struct{ FPS []*float64 }
		}
		Expect(json.Unmarshal([]byte(copied), &got)).To(Succeed())
		var steps []string
		for _, step := range got.Phases {
			steps = append(steps, step.Phase)
			Expect(step.MS).To(BeNumerically(">=", 0))
		}
		Expect(steps).To(Equal([]string{"credentials", "offer", "answered", "connected", "picture"}))
		Expect(*got.Seconds.FPS[len(got.Seconds.FPS)-1]).To(BeNumerically("~", 15, 1))
		Expect(strings.ReplaceAll(copied, got.Browser, "")).NotTo(
			MatchRegexp(`\d+\.\d+\.\d+\.\d+|::|\.local|candidate:|a=ice|eyJ`), "an address, SDP or a token")
	}, SpecTimeout(specTime))
})

// atTheWheel opens the picture of a robot that can be driven. Nobody drives yet.
func atTheWheel(ctx SpecContext) (s *stage, motors *gexec.Session, tab context.Context) {
	GinkgoHelper()
	s, motors = drivable(ctx, &binaries)
	tab = s.viewer(ctx)
	signIn(tab, s.owner.Email, s.owner.Password)
	Eventually(evaluate[bool](tab, "document.querySelector('#drive').hidden")).Should(BeFalse())
	return s, motors, tab
}

// copyStatistics presses the button, and returns what is in the clipboard then.
func copyStatistics(tab context.Context) string {
	GinkgoHelper()
	read := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted,
		})
		return err
	})
	Expect(chromedp.Do(tab, read)).To(Succeed())
	click(tab, "#statistics-copy")
	Eventually(text(tab, "#statistics-copied")).Should(HavePrefix("Copied."))
	copied, err := chromedp.Run(tab, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
	Expect(err).NotTo(HaveOccurred())
	return copied
}

// speeds are what the page makes of some ways at half the full speed: ahead, to the
// right, both, back to the left, and nowhere that there is.
func speeds(tab context.Context) func() ([]string, error) {
	return func() ([]string, error) {
		return chromedp.Run(tab, chromedp.Evaluate[[]string](`import('./drive.js').then(({ arcade }) =>
			[[0, 7], [1, 0], [1, 1], [0.25, -0.75], [NaN, Infinity]].map(([x, y]) => {
				const { left, right } = arcade({ x, y }, 0.5);
				return left + ' ' + right;
			}))`, chromedp.EvalAwaitPromise))
	}
}

// label is the text alternative of what is drawn.
func label(tab context.Context, selector string) func() (string, error) {
	return evaluate[string](tab, "document.querySelector('"+selector+"').getAttribute('aria-label')")
}

func click(tab context.Context, selector string) {
	GinkgoHelper()
	Expect(chromedp.Do(tab, chromedp.Click(selector))).To(Succeed())
}

// hold presses a key, letGo releases it, tap does both.
func hold(tab context.Context, key rune) {
	GinkgoHelper()
	press(tab, kb.Encode(key)[0])
}

func letGo(tab context.Context, key rune) {
	GinkgoHelper()
	events := kb.Encode(key)
	press(tab, events[len(events)-1])
}

func tap(tab context.Context, key rune) {
	GinkgoHelper()
	hold(tab, key)
	letGo(tab, key)
}

func press(tab context.Context, event *input.DispatchKeyEventParams) {
	GinkgoHelper()
	Expect(chromedp.Do(tab, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event)
		return err
	}))).To(Succeed())
}

// window minimizes the browser's window, or shows it again.
func window(tab context.Context, state browser.WindowState) {
	GinkgoHelper()
	Expect(chromedp.Do(tab, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		w, err := cdp.Call(ctx, t, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, browser.SetWindowBounds,
			browser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &browser.Bounds{WindowState: state}})
		return err
	}))).To(Succeed())
}

// middle is where on the page an element has its centre.
func middle(tab context.Context, selector string) (x, y float64) {
	GinkgoHelper()
	at, err := evaluate[[]float64](tab, "(({left, top, width, height}) => [left + width / 2, top + height / 2])"+
		"(document.querySelector('"+selector+"').getBoundingClientRect())")()
	Expect(err).NotTo(HaveOccurred())
	return at[0], at[1]
}

func mouse(tab context.Context, what input.DispatchMouseEventType, x, y float64) {
	GinkgoHelper()
	Expect(chromedp.Do(tab, chromedp.MouseEvent(what, x, y, chromedp.ButtonLeft))).To(Succeed())
}
