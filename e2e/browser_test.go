package e2e

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/browser"
	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = inBrowser("An owner with a browser", func() {
	It("signs in and sees the robot's picture move, in VP8 where the browser knows no H264", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		s.idle = s.settled(ctx)
		url := s.page(ctx)
		t, other := chromium.Visit(url), chromium.Visit(url, "observer.codec = 'video/VP8'")
		t.SignIn(s.owner)
		t.ExpectLive()
		t.ExpectEveryFrame()
		Expect(t.Codec()).To(Equal("video/H264"))
		Expect(t.Number("document.querySelector('video').videoWidth")()).To(BeEquivalentTo(1280))
		t.Screenshot("viewer")
		t.Leave()

		other.SignIn(s.owner)
		other.ExpectLive()
		other.ExpectEveryFrame()
		Expect(other.Codec()).To(Equal("video/VP8"))
		other.Leave()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("sees it through the TURN server alone, also while its credentials are renewed", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{TTL: 10 * time.Second})
		t := s.viewer(ctx, "observer.force = {iceTransportPolicy: 'relay'}")
		t.SignIn(s.owner)
		t.ExpectLive()
		Expect(t.Candidate()).To(Equal("relay"))
		first, err := browser.Evaluate[string](t, credential)()
		Expect(err).NotTo(HaveOccurred())
		t.WatchGap()
		Eventually(func() (int, error) {
			issued, _, err := s.Ledger(ctx)
			return len(issued), err
		}).Should(BeNumerically(">=", 2))
		Eventually(browser.Evaluate[string](t, credential)).Should(Not(Equal(first)), "what the page would use")
		t.ExpectMoving()
		t.ExpectNoGap(restartGap)
		Expect(t.Candidate()).To(Equal("relay"))
	}, SpecTimeout(specTime))

	It("is told in words that two others watch, who notice nothing", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		url := s.page(ctx)
		first, second, third := chromium.Visit(url), chromium.Visit(url), chromium.Visit(url)
		for _, t := range []*browser.Tab{first, second} {
			t.SignIn(s.owner)
			t.ExpectLive()
			t.WatchGap()
		}
		third.SignIn(s.owner)
		Eventually(third.Text("#status")).Should(ContainSubstring("two viewers"))
		for _, t := range []*browser.Tab{first, second} {
			t.ExpectMoving()
			Expect(t.State()).To(Equal("live"))
			t.ExpectNoGap(noGap)
		}

		first.Leave()
		s.expectViewers(ctx, 1)
		third.Again()
		third.ExpectLive()
	}, SpecTimeout(specTime))

	It("is never shown one robot's picture as another's, and the page does not jump when the video begins", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		const other = "wimz_other"
		config, err := s.AddDevice(ctx, other, s.owner)
		Expect(err).NotTo(HaveOccurred())
		const million = 1_000_000
		configure(config, func(robot string) string {
			path := scratch() + "/clip.y4m"
			Expect(harness.WriteClip(path, million, 10)).To(Succeed())
			return robot + fmt.Sprintf("camera: {source: file, file: {path: %s}}\n", path)
		})
		Expect(s.StartRobot(ctx, other, config, s.owner)).To(Succeed())
		t := s.viewer(ctx)
		t.SignIn(s.owner)
		Eventually(t.State).Should(Equal("idle"), "it is not known which")
		t.Run("observer.sample(); observer.shifts = []")
		for range 2 {
			t.ExpectOnly(robotID, func(number uint32) bool { return number < million })
			t.ExpectOnly(other, func(number uint32) bool { return number >= million })
		}
		Expect(browser.Evaluate[[]string](t, "observer.shifts")()).To(BeEmpty(), "what has moved on the page")
	}, SpecTimeout(specTime))
})

// credential is the user of the TURN servers that the page would use now.
const credential = "observer.peers.at(-1).getConfiguration().iceServers.map((s) => s.username ?? '').join('')"

var _ = inBrowser("A visitor", func() {
	It("is told in words when the password is wrong, and signs in with the right one", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.Allow(browser.LoginRefused)
		t.SignIn(harness.User{Email: s.owner.Email, Password: "not the password"})
		Eventually(t.Text("#login-error")).Should(ContainSubstring("password"))
		t.SignIn(s.owner)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))

	It("of the demo is signed in by it, and asked for a password once that is not possible any more", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		demo := func(token string) (url string) {
			server, err := binaries.Viewer(ctx, "127.0.0.1:0", s.RelayURL(), token, GinkgoWriter)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(server.Stop)
			return server.URL("/")
		}
		t, late := chromium.Visit(demo(s.owner.Token)), chromium.Visit(demo(s.shortToken(time.Second)))
		late.Allow(browser.LoginRefused)
		late.Allow(browser.SocketRefused)
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		Expect(t.Text("#sign-out")()).To(BeEmpty())
		Eventually(late.Text("#login")).Should(ContainSubstring("demo login is not there"))
		late.SignIn(s.owner)
		Eventually(late.Text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))

	It("whose login has ended is asked to sign in again, and then sees the picture again", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		t := s.viewer(ctx, withToken(s.shortToken(5*time.Second)))
		t.Allow(browser.LoginRefused)
		t.Allow(browser.SocketRefused)
		t.SignIn(s.owner)
		t.ExpectLive()
		Eventually(t.State).Should(Equal("login"))
		Expect(t.Text("#login")()).To(ContainSubstring("login has ended"))
		s.expectViewers(ctx, 0)

		t.Run("observer.token = null")
		t.SignIn(s.owner)
		t.ExpectLive()
		t.ExpectMoving()
		By("changing the password elsewhere")
		Expect(s.Post(ctx, s.owner.Token, "/api/auth/password",
			map[string]string{"old_password": s.owner.Password, "new_password": s.owner.Password + "!"}, nil)).To(Succeed())
		Eventually(t.State).Should(Equal("login"))
		var err error
		s.owner.Token, err = simapp.Login(ctx, s.RelayURL(), s.owner.Email, s.owner.Password+"!")
		Expect(err).NotTo(HaveOccurred())
		s.expectViewers(ctx, 0)
	}, SpecTimeout(specTime))
})
