package e2e

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = inBrowser("An owner who drives with a browser", func() {
	It("moves the robot while something is held, and not before the wheel is taken", func(ctx SpecContext) {
		_, motors, t := atTheWheel(ctx)
		Expect(speeds(t)()).To(Equal([]string{"0.5 0.5", "0.5 -0.5", "0.5 0", "-0.25 -0.5", "0 0"}))
		hold(t, 'w')
		t.Click("#take-wheel")
		hold(t, 's')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.40 -0.40\nmotors -0.40 -0.40\n`), "frame after frame")
		Expect(motors.Out.Contents()).NotTo(ContainSubstring("motors +0.40"), "nobody had taken the wheel")
		tap(t, ' ')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))

		letGo(t, 's')
		letGo(t, 'w')

		By("not driving with what is typed into a field")
		t.Do(chromedp.Focus("#drive-limit"))
		hold(t, 'w')
		t.Do(chromedp.Focus("#drive-pad"))
		hold(t, 'a')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.40 \+0.40\n`))
		Expect(motors.Out.Contents()).NotTo(ContainSubstring("motors +0.40 +0.40"))
		letGo(t, 'a')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))

		By("driving with a hand on the pad")
		x, y := middle(t, "#drive-pad")
		mouse(t, chromedp.MousePressed, x, y-50)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.[23]\d \+0.[23]\d\n`))
		mouse(t, chromedp.MouseMoved, x+300, y)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 -0.40\n`))
		mouse(t, chromedp.MouseReleased, x+300, y)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
		t.Screenshot("drive")
	}, SpecTimeout(specTime))

	It("gives the wheel back when nobody looks at the page", func(ctx SpecContext) {
		_, motors, t := atTheWheel(ctx)
		t.Click("#take-wheel")
		hold(t, 'w')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 \+0.40\n`))
		t.Minimize()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
		Eventually(t.Text("#drive-state")).Should(ContainSubstring("lost the focus"))

		By("not driving on with the key that is still held")
		t.Restore()
		t.Click("#take-wheel")
		hold(t, 's')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`^motors -0.40 -0.40\n`))
	}, SpecTimeout(specTime))

	It("reads who has the wheel, and what to do", func(ctx SpecContext) {
		s, motors, t := atTheWheel(ctx)
		another := s.watch(ctx, simapp.Options{Device: robotID})
		t.Click("#take-wheel")
		hold(t, 'w')
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.40 \+0.40\n`))
		stopDriving := drive(another, -0.5, -0.5)
		defer stopDriving()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`stop: another viewer takes over\n`))
		Eventually(t.Text("#drive-state")).Should(ContainSubstring("Another viewer drives now"))
		driven := len(motors.Out.Contents())
		Eventually(func() int { return len(motors.Out.Contents()) }).WithContext(ctx).Should(
			BeNumerically(">", driven+10*len("motors -0.50 -0.50\n")))
		Expect(string(motors.Out.Contents())).NotTo(ContainSubstring("stop: by viewer"), "it would be the other's")

		t.Click("#emergency-stop")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`emergency_stop: by viewer\n`))
		Eventually(t.Text("#drive-state")).Should(ContainSubstring("Emergency stop sent"))

		motors.Kill()
		Eventually(motors.Exited).WithContext(ctx).Should(BeClosed())
		letGo(t, 'w')
		t.Click("#take-wheel")
		hold(t, 'w')
		Eventually(t.Text("#drive-state")).Should(ContainSubstring("its own software is not running"))
	}, SpecTimeout(specTime))
})

var _ = inBrowser("An owner who wants to know", func() {
	It("sees how the picture comes, and copies it without addresses", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.SignIn(s.owner)
		t.Click("#statistics-toggle")
		Eventually(t.Text("#statistics-charts .chart-now")).Should(MatchRegexp(`^1[456] per second$`))
		Eventually(label(t, "#statistics-charts svg")).Should(MatchRegexp(`^Frame rate: 1[456] per second, `))
		Expect(t.Text("#statistics-path-words")()).To(Equal("Direct (udp)"))
		Expect(label(t, ".route")()).To(MatchRegexp(`^Direct \(udp\): This browser, (Router, )?Robot$`))
		Expect(browser.Evaluate[int](t, "document.querySelectorAll('.stack rect').length")()).To(Equal(5))
		t.Screenshot("statistics")

		copied := copyStatistics(t)
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
func atTheWheel(ctx SpecContext) (s *stage, motors *gexec.Session, t *browser.Tab) {
	GinkgoHelper()
	s, motors = drivable(ctx, &binaries)
	t = s.viewer(ctx)
	t.SignIn(s.owner)
	Eventually(browser.Evaluate[bool](t, "document.querySelector('#drive').hidden")).Should(BeFalse())
	return s, motors, t
}

// copyStatistics presses the button, and returns what is in the clipboard then.
func copyStatistics(t *browser.Tab) string {
	GinkgoHelper()
	t.Click("#statistics-copy")
	Eventually(t.Text("#statistics-copied")).Should(HavePrefix("Copied."))
	return t.ReadClipboard()
}

// speeds are what the page makes of some ways at half the full speed: ahead, to the
// right, both, back to the left, and nowhere that there is.
func speeds(t *browser.Tab) func() ([]string, error) {
	return func() ([]string, error) {
		return chromedp.Run(t.Life, chromedp.Evaluate[[]string](`import('./drive.js').then(({ arcade }) =>
			[[0, 7], [1, 0], [1, 1], [0.25, -0.75], [NaN, Infinity]].map(([x, y]) => {
				const { left, right } = arcade({ x, y }, 0.5);
				return left + ' ' + right;
			}))`, chromedp.EvalAwaitPromise))
	}
}

// label is the text alternative of what is drawn.
func label(t *browser.Tab, selector string) func() (string, error) {
	return browser.Evaluate[string](t, "document.querySelector('"+selector+"').getAttribute('aria-label')")
}

// hold presses a key, letGo releases it, tap does both.
func hold(t *browser.Tab, key rune) {
	GinkgoHelper()
	press(t, kb.Encode(key)[0])
}

func letGo(t *browser.Tab, key rune) {
	GinkgoHelper()
	events := kb.Encode(key)
	press(t, events[len(events)-1])
}

func tap(t *browser.Tab, key rune) {
	GinkgoHelper()
	hold(t, key)
	letGo(t, key)
}

func press(t *browser.Tab, event *input.DispatchKeyEventParams) {
	GinkgoHelper()
	t.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event)
		return err
	}))
}

// middle is where on the page an element has its centre.
func middle(t *browser.Tab, selector string) (x, y float64) {
	GinkgoHelper()
	at, err := browser.Evaluate[[]float64](t, "(({left, top, width, height}) => [left + width / 2, top + height / 2])"+
		"(document.querySelector('"+selector+"').getBoundingClientRect())")()
	Expect(err).NotTo(HaveOccurred())
	return at[0], at[1]
}

func mouse(t *browser.Tab, what input.DispatchMouseEventType, x, y float64) {
	GinkgoHelper()
	t.Do(chromedp.MouseEvent(what, x, y, chromedp.ButtonLeft))
}
