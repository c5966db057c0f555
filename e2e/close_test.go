package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A session that ends", func(b harness.Backend) {
	It("leaves nothing behind when the app closes it", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		for range 3 {
			s.watch(ctx, simapp.Options{Device: robotID}).Close()
		}
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("leaves nothing behind when the robot closes it, and the app is told", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		Expect(s.Robots[robotID].Stop()).To(Succeed())

		Eventually(viewing.Done()).Should(BeClosed())
		var closed *simapp.ClosedError
		Expect(viewing.Err()).To(BeAssignableToTypeOf(closed))
		Eventually(func(g Gomega) {
			stats, err := s.RelayStats(ctx, s.owner)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(stats.Sessions).To(BeZero())
			live, err := s.LiveCredentials(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(live).To(BeZero())
		}).Should(Succeed())
	}, SpecTimeout(specTime))

	It("ends on the robot too when the app's phone dies and stays away", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{Grace: 1})
		phone := s.phone(ctx)
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 3)).To(Succeed())
		phone.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("tells both parties why", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		id := offered(ctx, app, robot)

		Expect(app.Send(wire.Message{Type: wire.TypeClose, SessionID: id})).To(Succeed())
		for _, peer := range []*harness.Peer{app, robot} {
			closed, err := peer.Next(ctx, wire.TypeClose)
			Expect(err).NotTo(HaveOccurred())
			Expect(closed.SessionID).To(Equal(id))
			Expect(closed.Reason).To(Equal(wire.ReasonAppLeft))
		}
		Expect(app.Send(wire.Message{Type: wire.TypeClose, SessionID: id})).To(Succeed())
		Expect(app.Barrier(ctx)).To(BeEmpty(), "a close of what is closed is ignored quietly")
	}, SpecTimeout(specTime))
})

// offered takes a session as far as the robot's offer.
func offered(ctx SpecContext, app, robot *harness.Peer) wire.SessionID {
	GinkgoHelper()
	Expect(app.Send(wire.Message{Type: wire.TypeRequest, DeviceID: robotID})).To(Succeed())
	request, err := robot.Next(ctx, wire.TypeRequest)
	Expect(err).NotTo(HaveOccurred())
	Expect(robot.Send(wire.Message{
		Type: wire.TypeOffer, SessionID: request.SessionID,
		SDP: &wire.SessionDescription{Type: "offer", SDP: "v=0\r\n"},
	})).To(Succeed())
	offer, err := app.Next(ctx, wire.TypeOffer)
	Expect(err).NotTo(HaveOccurred())
	return offer.SessionID
}
