package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
)

// lateTimers lets a minute go by each second, and calls what is to be called again and
// again only then, all at once: that is how browsers wake a page that nobody looks at.
const lateTimers = `
	const every = window.setInterval, end = window.clearInterval, now = Date.now, begun = now();
	const calls = new Set();
	window.setInterval = (call) => { calls.add(call); return call; };
	window.clearInterval = (call) => { calls.delete(call); end(call); };
	every(() => calls.forEach((call) => call()), 1000);
	Date.now = () => begun + 60 * (now() - begun);`

// clockBack lets observer.back set the clock back by so many milliseconds.
const clockBack = `
	const now = Date.now;
	observer.back = 0;
	Date.now = () => now() - observer.back;`

// noStorage is a browser that keeps nothing: all cookies are blocked.
const noStorage = `Object.defineProperty(window, 'sessionStorage', {
	get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); },
})`

// heldPairing keeps the answer to a pairing code back, until observer.release is
// called with its status.
const heldPairing = `
	const fetched = window.fetch;
	window.fetch = (url, options) => (String(url).endsWith('device/pair')
		? new Promise((resolve) => { observer.release = (status) => resolve(new Response('{}', { status })); })
		: fetched(url, options));`

// heldLists keeps the lists of robots back that are asked for while observer.hold is
// set, until observer.release lets them go, the newest first.
const heldLists = `
	const fetched = window.fetch, held = [];
	window.fetch = (url, options) => {
		if (!observer.hold || !String(url).endsWith('user/devices')) return fetched(url, options);
		const answer = fetched(url, options).then(async (whole) => new Response(await whole.text(), whole));
		return new Promise((resolve) => { held.push(() => { resolve(answer); return answer; }); });
	};
	observer.release = async () => {
		while (held.length > 0) await held.pop()();
		return document.querySelector('#robots').innerText;
	};`

var _ = inBrowser("A page for which the world is not as usual", func() {
	It("keeps its socket when its timers are late", func(ctx SpecContext) {
		vendor := startVendor()
		vendor.own()
		t := chromium.Visit(servePage(ctx, vendor.url()), lateTimers)
		t.SignIn(vendor.user)
		Eventually(t.Pings).Should(BeNumerically(">=", 4))
		Expect(t.Sockets()).To(Equal(1))
	}, SpecTimeout(specTime))

	It("renews its login though the clock is set back, and tells the socket that was being opened", func(ctx SpecContext) {
		vendor := startVendor()
		vendor.life, vendor.gate = 6, make(chan struct{})
		told := make(chan any, 8)
		vendor.hear = func(_ *vendorSocket, m map[string]any) {
			if m["type"] == "auth" {
				told <- m["token"]
			}
		}
		t := chromium.Visit(servePage(ctx, vendor.url()), clockBack)
		t.SignIn(vendor.user)
		Eventually(t.State).Should(Equal("starting"))
		t.Run("observer.back = 24 * 3600e3")
		var fresh string
		Eventually(vendor.renewed).Should(Receive(&fresh))
		Eventually(browser.Evaluate[string](t, "sessionStorage.getItem('token')")).Should(Equal(fresh))
		close(vendor.gate)
		Eventually(told).Should(Receive(Equal(fresh)))
	}, SpecTimeout(specTime))

	It("signs in where the browser keeps nothing", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx, noStorage)
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))

	It("does not take an answer to somebody who has signed out for its own", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx, heldPairing)
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		t.Click("#pair-open")
		t.Fill("#pair-code", "ABCD-1234")
		t.Click("#pair-submit")
		Eventually(browser.Evaluate[bool](t, "'release' in observer")).Should(BeTrue())
		t.Click("#pair-cancel")
		t.Click("#sign-out")
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		t.Run("observer.release(401)")
		Eventually(browser.Evaluate[bool](t, "document.querySelector('#pair-submit').disabled")).Should(BeFalse())
		Expect(t.State()).To(Equal("error"), "still signed in")
	}, SpecTimeout(specTime))

	It("does not take fresh credentials of the session before for those of its own", func(ctx SpecContext) {
		vendor := startVendor()
		vendor.own(robotID, "wimz_other")
		asked := make(chan *vendorSocket, 2)
		vendor.hear = func(app *vendorSocket, m map[string]any) {
			if m["type"] == "webrtc_request" {
				asked <- app
			}
		}
		grant := func(app *vendorSocket, id string) {
			app.tell(map[string]any{"type": "webrtc_credentials", "session_id": id, "ice_servers": []any{}})
		}
		t := chromium.Visit(servePage(ctx, vendor.url()))
		t.SignIn(vendor.user)
		t.Choose(robotID)
		var app *vendorSocket
		Eventually(asked).Should(Receive(&app))
		grant(app, vendorSession)
		Eventually(t.State).Should(Equal("offer"))
		t.Choose("wimz_other")
		Eventually(asked).Should(Receive(&app))
		grant(app, vendorSession)
		grant(app, "another")
		app.tell(map[string]any{"type": "webrtc_error", "session_id": "another", "error": "It is about mine"})
		Eventually(t.Text("#status")).Should(ContainSubstring("It is about mine"))
	}, SpecTimeout(specTime))

	It("does not take an older list of robots for the newest", func(ctx SpecContext) {
		vendor := startVendor()
		vendor.own()
		vendor.hear = func(*vendorSocket, map[string]any) {}
		t := chromium.Visit(servePage(ctx, vendor.url()), heldLists)
		t.SignIn(vendor.user)
		Eventually(t.Text("#status")).Should(ContainSubstring("No robot yet"))
		t.Run("observer.hold = true; document.dispatchEvent(new Event('visibilitychange'))")
		t.Fill("#pair-code", "ABCD-1234")
		t.Click("#pair-submit")
		Eventually(browser.Evaluate[bool](t, "document.querySelector('#pair').open")).Should(BeFalse())
		Eventually(browser.Evaluate[string](t, "observer.release()")).Should(ContainSubstring(string(robotID)))
		Eventually(t.State).Should(Equal("asking"))
		Consistently(t.State).WithTimeout(time.Second).Should(Equal("asking"), "the robot is the account's")
	}, SpecTimeout(specTime))
})
