package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("A relay of another maker", func() {
	It("that knows only the original specification brings the picture to the page", func(ctx SpecContext) {
		vendor := startVendor()
		s := empty(ctx, &binaries, harness.Options{})
		s.configure(func(robot string) string { return strings.Replace(robot, s.RelayURL(), vendor.url(), 1) })
		robot, err := binaries.Robot(ctx, harness.RobotSettings{ConfigFile: s.configFile}, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(robot.Stop)
		Eventually(vendor.here).Should(BeTrue())

		t := chromium.Visit(servePage(ctx, vendor.url()))
		t.SignIn(vendor.user)
		t.ExpectLive()
		t.ExpectMoving()
		Expect(t.Number("observer.peers[0].getConfiguration().iceServers.length")()).To(BeEquivalentTo(1))
		vendor.say(`{"type":"error","code":"RATE_LIMITED","message":"A little slower","session_id":"` + vendorSession + `"}`)
		vendor.hangUp()
		t.ExpectMoving()
		Expect(t.State()).To(Equal("live"), "the video does not need the relay")

		By("taking the robot out of the account")
		vendor.own("wimz_other")
		vendor.hangUp()
		Eventually(t.Text("#status")).Should(ContainSubstring("not yours"))
		Expect(browser.Evaluate[string](t, "document.body.dataset.picture")()).To(Equal("none"), "it is not shown as the other robot's")
	}, SpecTimeout(specTime))

	It("that is hostile does nothing to the page, which shows what it says as text", func(ctx SpecContext) {
		const markup = `<img src=x onerror="window.broken=1"><script>window.broken=1</script>`
		vendor := startVendor()
		asked := make(chan *vendorSocket, 16)
		vendor.hear = func(app *vendorSocket, m map[string]any) {
			if m["type"] == "webrtc_request" {
				asked <- app
			}
		}
		t := chromium.Visit(servePage(ctx, vendor.url()))
		t.SignIn(vendor.user)
		var app *vendorSocket
		Eventually(asked).Should(Receive(&app))
		for _, frame := range framesOfAnother(markup) {
			app.say(frame)
		}
		tooLong := map[string]any{"urls": "turn:127.0.0.1", "username": strings.Repeat("é", 500), "credential": markup}
		app.tell(map[string]any{"type": "webrtc_credentials", "session_id": vendorSession, "ice_servers": []any{tooLong}})
		for _, frame := range hostileFrames(markup) {
			app.say(frame)
		}
		last := "<b>The last word</b>" + markup
		app.tell(map[string]any{"type": "webrtc_error", "session_id": vendorSession, "error": last + strings.Repeat("huge ", 10_000)})
		Eventually(t.Text("#status")).Should(ContainSubstring(last), "it has waited until then, and shows text")
		Expect(t.Number("document.querySelectorAll('#status b, img[src=x]').length")()).To(BeZero())
		Expect(t.Number("window.broken ?? 0")()).To(BeZero())
		Expect(t.Number("document.documentElement.scrollWidth - innerWidth")()).To(BeNumerically("<=", 0), "it fits the window")
		Expect(t.Number("document.querySelector('#status').innerText.length")()).To(BeNumerically("<", 1000))
		t.Screenshot("hostile")

		By("trying again")
		t.Again()
		Eventually(asked).Should(Receive(&app))
		app.tell(map[string]any{"type": "error", "code": "__proto__", "message": markup})
		Eventually(t.State).Should(Equal("error"))
		Expect(t.Number("window.broken ?? 0")()).To(BeZero())
	}, SpecTimeout(specTime))
})

// hostileFrames are frames that a page must take no notice of while it waits for the
// offer of its session.
func hostileFrames(markup string) []string {
	quoted, _ := json.Marshal(markup) //nolint:errchkjson // a string
	frames := []string{
		"", "null", "[]", "1", `"text"`, "{", "{}", string(quoted), `{"type":null}`, `{"type":{}}`, `{"type":["webrtc_close"]}`,
		strings.Repeat("[", 10_000), `{"type":"__proto__"}`, `{"type":"constructor","session_id":"` + vendorSession + `"}`,
		`{"type":"robot_status"}`, `{"type":"robot_status","device_id":null,"online":"no"}`,
		`{"type":"robot_status","device_id":` + string(quoted) + `,"online":true}`,
		`{"type":"status","device_id":"wimz_abc123"}`, `{"event":` + string(quoted) + `}`,
		`{"type":"telemetry","note":"` + strings.Repeat("x", 60_000) + `"}`,
		`{"type":"webrtc_offer","session_id":"` + vendorSession + `"}`,
		`{"type":"webrtc_offer","session_id":"` + vendorSession + `","sdp":null}`,
		`{"type":"webrtc_offer","session_id":"` + vendorSession + `","sdp":{"type":"offer","sdp":17}}`,
		`{"type":"webrtc_ice","session_id":"` + vendorSession + `","candidate":` + string(quoted) + `}`,
		`{"type":"webrtc_ice","session_id":"` + vendorSession + `"}`,
		`{"type":"webrtc_resumed","session_id":"` + vendorSession + `"}`,
		`{"type":"going_away","retry_after_ms":"soon"}`,
	}
	return append(frames, framesOfAnother(markup)...)
}

// framesOfAnother are about a session that is not the page's.
func framesOfAnother(markup string) (frames []string) {
	quoted, _ := json.Marshal(markup) //nolint:errchkjson // a string
	for _, kind := range []string{"webrtc_close", "webrtc_error", "webrtc_offer", "webrtc_ice", "error"} {
		frames = append(frames, fmt.Sprintf(`{"type":%q,"session_id":"another","error":%s,"message":%s,"code":%s,"reason":%s}`,
			kind, quoted, quoted, quoted, quoted))
	}
	return frames
}

var _ = inBrowser("Whoever does not answer", func() {
	It("is no spinner: the page says what is missing within 15 seconds", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		s.puppet(ctx) // the robot never answers
		silent := startVendor()
		silent.hear = func(*vendorSocket, map[string]any) {}
		mean := startVendor() // gives credentials, and never an offer
		mean.hear = func(app *vendorSocket, m map[string]any) {
			if m["type"] == "webrtc_request" {
				app.tell(map[string]any{"type": "webrtc_credentials", "session_id": vendorSession, "ice_servers": []any{}})
			}
		}
		waiting := []struct {
			page  *browser.Tab
			user  harness.User
			words string
			since time.Time
		}{
			{page: s.viewer(ctx), user: s.owner, words: "The robot does not answer"},
			{page: chromium.Visit(servePage(ctx, silent.url())), user: silent.user, words: "The relay did not answer"},
			{page: chromium.Visit(servePage(ctx, mean.url())), user: mean.user, words: "The robot does not answer"},
		}
		for i := range waiting {
			waiting[i].page.SignIn(waiting[i].user)
			waiting[i].since = time.Now()
		}
		for _, w := range waiting {
			Eventually(w.page.Text("#status")).WithTimeout(time.Until(w.since.Add(15 * time.Second))).Should(ContainSubstring(w.words))
			Expect(w.page.State()).To(Equal("error"))
			Expect(browser.Evaluate[bool](w.page, "document.querySelector('#pulse').checkVisibility()")()).To(BeFalse())
		}
	}, SpecTimeout(specTime))
})
