package e2e

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = inBrowser("An owner with a browser", func() {
	It("signs in and sees the robot's picture move, in VP8 where the browser knows no H264", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		s.idle = s.settled(ctx)
		url := s.page(ctx)
		t, other := visit(ctx, url), visit(ctx, url, "observer.codec = 'video/VP8'")
		t.signIn(s.owner)
		t.expectLive()
		t.expectEveryFrame()
		Expect(t.codec()).To(Equal("video/H264"))
		Expect(t.number("document.querySelector('video').videoWidth")()).To(BeEquivalentTo(1280))
		t.screenshot("viewer")
		t.leave()

		other.signIn(s.owner)
		other.expectLive()
		other.expectEveryFrame()
		Expect(other.codec()).To(Equal("video/VP8"))
		other.leave()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("sees it through the TURN server alone, also while its credentials are renewed", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{TTL: 10 * time.Second})
		t := s.viewer(ctx, "observer.force = {iceTransportPolicy: 'relay'}")
		t.signIn(s.owner)
		t.expectLive()
		Expect(t.candidate()).To(Equal("relay"))
		first, err := evaluate[string](t, credential)()
		Expect(err).NotTo(HaveOccurred())
		t.run("observer.reset()")
		Eventually(func() (int, error) {
			issued, _, err := s.Ledger(ctx)
			return len(issued), err
		}).Should(BeNumerically(">=", 2))
		Eventually(evaluate[string](t, credential)).Should(Not(Equal(first)), "what the page would use")
		t.expectMoving()
		t.expectNoGap(2 * noGap) // the path is another one, and it may take a key frame to go on
		Expect(t.candidate()).To(Equal("relay"))
	}, SpecTimeout(specTime))

	It("is told in words that two others watch, who notice nothing", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		url := s.page(ctx)
		first, second, third := visit(ctx, url), visit(ctx, url), visit(ctx, url)
		for _, t := range []*tab{first, second} {
			t.signIn(s.owner)
			t.expectLive()
		}
		third.signIn(s.owner)
		Eventually(third.text("#status")).Should(ContainSubstring("two viewers"))
		for _, t := range []*tab{first, second} {
			t.expectMoving()
			Expect(t.state()).To(Equal("live"))
			t.expectNoGap(noGap)
		}

		first.leave()
		s.expectViewers(ctx, 1)
		third.again()
		third.expectLive()
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
		t.signIn(s.owner)
		Eventually(t.state).Should(Equal("idle"), "it is not known which")
		t.run("observer.sample(); observer.shifts = []")
		for range 2 {
			t.expectOnly(robotID, func(number uint32) bool { return number < million })
			t.expectOnly(other, func(number uint32) bool { return number >= million })
		}
		Expect(evaluate[[]string](t, "observer.shifts")()).To(BeEmpty(), "what has moved on the page")
	}, SpecTimeout(specTime))
})

// credential is the user of the TURN servers that the page would use now.
const credential = "observer.peers.at(-1).getConfiguration().iceServers.map((s) => s.username ?? '').join('')"

var _ = inBrowser("A visitor", func() {
	It("is told in words when the password is wrong, and signs in with the right one", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.complaints.allow(loginRefused)
		t.signIn(harness.User{Email: s.owner.Email, Password: "not the password"})
		Eventually(t.text("#login-error")).Should(ContainSubstring("password"))
		t.signIn(s.owner)
		Eventually(t.text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))

	It("of the demo is signed in by it, and asked for a password once that is not possible any more", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		demo := func(token string) (url string) {
			server, err := binaries.Viewer(ctx, "127.0.0.1:0", s.RelayURL(), token, GinkgoWriter)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(server.Stop)
			return server.URL("/")
		}
		t, late := visit(ctx, demo(s.owner.Token)), visit(ctx, demo(s.shortToken(time.Second)))
		late.complaints.allow(loginRefused)
		late.complaints.allow(socketRefused)
		Eventually(t.text("#status")).Should(ContainSubstring("offline"))
		Expect(t.text("#sign-out")()).To(BeEmpty())
		Eventually(late.text("#login")).Should(ContainSubstring("demo login is not there"))
		late.signIn(s.owner)
		Eventually(late.text("#status")).Should(ContainSubstring("offline"))
	}, SpecTimeout(specTime))

	It("whose login has ended is asked to sign in again, and then sees the picture again", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		t := s.viewer(ctx, withToken(s.shortToken(5*time.Second)))
		t.complaints.allow(loginRefused)
		t.complaints.allow(socketRefused)
		t.signIn(s.owner)
		t.expectLive()
		Eventually(t.state).Should(Equal("login"))
		Expect(t.text("#login")()).To(ContainSubstring("login has ended"))
		s.expectViewers(ctx, 0)

		t.run("observer.token = null")
		t.signIn(s.owner)
		t.expectLive()
		t.expectMoving()
		By("changing the password elsewhere")
		Expect(s.Post(ctx, s.owner.Token, "/api/auth/password",
			map[string]string{"old_password": s.owner.Password, "new_password": s.owner.Password + "!"}, nil)).To(Succeed())
		Eventually(t.state).Should(Equal("login"))
		var err error
		s.owner.Token, err = simapp.Login(ctx, s.RelayURL(), s.owner.Email, s.owner.Password+"!")
		Expect(err).NotTo(HaveOccurred())
		s.expectViewers(ctx, 0)
	}, SpecTimeout(specTime))
})
