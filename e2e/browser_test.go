package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
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
		t.run("observer.reset()")
		Eventually(func() (int, error) {
			issued, _, err := s.Ledger(ctx)
			return len(issued), err
		}).Should(BeNumerically(">=", 2))
		t.expectMoving()
		Expect(t.number("observer.longest()")()).To(BeNumerically("<", noGap.Milliseconds()), "the longest pause, in ms")
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
			Expect(t.number("observer.longest()")()).To(BeNumerically("<", noGap.Milliseconds()), "the longest pause, in ms")
		}

		first.leave()
		s.expectViewers(ctx, 1)
		third.click("#again")
		third.expectLive()
	}, SpecTimeout(specTime))
})

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
})
