package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A login that ends", func(b harness.Backend) {
	It("with the app's logout takes its video and its TURN credential along, and nobody else's", func(ctx SpecContext) {
		// Without the logout nobody would revoke a credential in this spec.
		s := ready(ctx, b, harness.Options{Linger: time.Hour})
		s.lossy = true // the neighbour's lingers
		neighbour := s.user(ctx, "neighbour@example.com")
		theirRobot, theirApp := s.another(ctx, "wimz_theirs", neighbour), s.app(ctx, neighbour)
		answered(ctx, theirApp, theirRobot)

		phone := s.phone(ctx)
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
		Expect(s.LiveCredentials(ctx)).To(Equal(2))

		Expect(s.Post(ctx, s.owner.Token, "/api/auth/logout", nil, nil)).To(Succeed())
		Eventually(viewing.Done()).Should(BeClosed())
		Expect(viewing.Err()).To(MatchError(&simapp.ClosedError{Reason: wire.ReasonUnauthorized}))
		Eventually(phone.Done()).Should(BeClosed())
		Expect(phone.Err()).To(MatchError(client.ErrUnauthorized))
		Eventually(s.LiveCredentials).WithContext(ctx).Should(Equal(1), "the neighbour's")
		s.expectViewers(ctx, 0)
		Expect(theirApp.Barrier(ctx)).To(BeEmpty())
		Expect(theirRobot.Heard()).To(BeEmpty())

		_, err = s.RawApp(ctx, s.owner)
		Expect(err).To(MatchError(client.ErrUnauthorized))
		s.owner.Token, err = simapp.Login(ctx, s.RelayURL(), s.owner.Email, s.owner.Password)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.watch(ctx, simapp.Options{Device: robotID}).WaitFrames(ctx, 5)).To(Succeed())
	}, SpecTimeout(specTime))

	It("by the operator, in another process, is over within two seconds, and begins again when it may", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		robot := s.puppet(ctx)
		app, neighbour := s.doomed(ctx), s.app(ctx, s.user(ctx, "neighbour@example.com"))
		id := offered(ctx, app, robot)

		_, err := s.Operate(ctx, "user", "disable", s.owner.Email)
		Expect(err).NotTo(HaveOccurred())
		Eventually(app.Down).WithTimeout(2 * time.Second).Should(Receive(MatchError(client.ErrUnauthorized)))
		closed, err := robot.Next(ctx, wire.TypeClose)
		Expect(err).NotTo(HaveOccurred())
		Expect(closed).To(And(HaveField("SessionID", id), HaveField("Reason", wire.ReasonUnauthorized)))
		Eventually(s.LiveCredentials).WithContext(ctx).Should(BeZero())
		Expect(neighbour.Barrier(ctx)).To(BeEmpty())
		login := func() (failed error) {
			s.owner.Token, failed = simapp.Login(ctx, s.RelayURL(), s.owner.Email, s.owner.Password)
			return failed
		}
		Expect(login()).To(MatchError(ContainSubstring("Wrong e-mail address or password")))

		_, err = s.Operate(ctx, "user", "enable", s.owner.Email)
		Expect(err).NotTo(HaveOccurred())
		Expect(login()).To(Succeed())
		offered(ctx, s.app(ctx, s.owner), robot)
	}, SpecTimeout(specTime))
})

var _ = everywhere("A relay whose operator", func(b harness.Backend) {
	It("changes its secret logs nobody out", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		s.RotateSecret()
		s.restart(ctx)
		Expect(s.app(ctx, s.owner).Close()).To(Succeed())
		since := s.user(ctx, "neighbour@example.com")

		s.ForgetOldSecret()
		s.restart(ctx)
		s.app(ctx, since)
		_, err := s.RawApp(ctx, s.owner)
		Expect(err).To(MatchError(client.ErrUnauthorized), "a day later its token would have expired")
	}, SpecTimeout(specTime))

	It("has closed registration takes no more accounts, and serves those it has", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		s.CloseRegistration()
		s.restart(ctx)
		for _, email := range []string{"neighbour@example.com", s.owner.Email} {
			_, err := s.AddUser(ctx, email)
			Expect(err).To(MatchError(And(ContainSubstring("403"), ContainSubstring("Registration is closed"))))
		}
		_, err := simapp.Login(ctx, s.RelayURL(), s.owner.Email, s.owner.Password)
		Expect(err).NotTo(HaveOccurred())
	}, SpecTimeout(specTime))
})

var _ = everywhere("A robot that changes hands", func(b harness.Backend) {
	It("is gone for who had it, and there for who has it, at once", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		friend := s.user(ctx, "friend@example.com")
		robot, before, after := s.puppet(ctx), s.app(ctx, s.owner), s.app(ctx, friend)
		Expect(before.Barrier(ctx)).To(BeEmpty())
		id := offered(ctx, before, robot)
		_, err := s.Operate(ctx, "device", "transfer", string(robotID), "--to", friend.Email)
		Expect(err).NotTo(HaveOccurred())
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		for _, party := range []*harness.Peer{before, robot} {
			closed, missing := party.Next(within, wire.TypeClose)
			Expect(missing).NotTo(HaveOccurred())
			Expect(closed).To(And(HaveField("SessionID", id), HaveField("Reason", wire.ReasonUnauthorized)))
		}
		for app, online := range map[*harness.Peer]bool{before: false, after: true} {
			status, missing := app.Next(within, wire.TypeRobotStatus)
			Expect(missing).NotTo(HaveOccurred())
			Expect(status).To(And(HaveField("DeviceID", robotID), HaveField("Online", HaveValue(Equal(online)))))
		}
		Eventually(s.LiveCredentials).WithContext(ctx).Should(BeZero())
	}, SpecTimeout(specTime))
})

// doomed connects an app of the owner's whose login ends.
func (s *stage) doomed(ctx SpecContext) *harness.Peer {
	GinkgoHelper()
	app, err := s.RawApp(ctx, s.owner)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(app.Close()).To(MatchError(client.ErrUnauthorized)) })
	return app
}
