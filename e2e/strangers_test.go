package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A stranger", func(b harness.Backend) {
	It("who knows the session's id changes nothing, whatever they send", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		id := viewing.SessionID()

		neighbour := s.user(ctx, "neighbour@example.com")
		stranger := s.app(ctx, neighbour)
		robot := s.another(ctx, "wimz_theirs", neighbour)

		for _, m := range []wire.Message{
			{Type: wire.TypeAnswer, SessionID: id, SDP: sdp("answer")},
			{Type: wire.TypeICE, SessionID: id, Candidate: &wire.Candidate{Candidate: "candidate:1 1 udp 1 203.0.113.1 9 typ host"}},
			{Type: wire.TypeClose, SessionID: id},
		} {
			Expect(stranger.Send(m)).To(Succeed())
		}
		Expect(stranger.Barrier(ctx)).To(BeEmpty(), "a refusal tells a stranger nothing")

		Expect(stranger.Send(wire.Message{Type: wire.TypeResume, SessionID: id})).To(Succeed())
		foreign, err := stranger.Next(ctx, wire.TypeError)
		Expect(err).NotTo(HaveOccurred())
		Expect(stranger.Send(wire.Message{Type: wire.TypeResume, SessionID: "no-such-session"})).To(Succeed())
		unknown, err := stranger.Next(ctx, wire.TypeError)
		Expect(err).NotTo(HaveOccurred())
		unknown.SessionID = id
		Expect(foreign).To(Equal(unknown), "a session of others looks like none")

		for _, m := range []wire.Message{
			{Type: wire.TypeOffer, SessionID: id, SDP: sdp("offer")},
			{Type: wire.TypeRobotError, SessionID: id, Error: "gone"},
			{Type: wire.TypeClose, SessionID: id},
		} {
			Expect(robot.Send(m)).To(Succeed())
		}
		Eventually(func() []wire.Message { return robot.Heard() }).
			Should(ConsistOf(HaveField("Reason", wire.ReasonUnknown)), "the answer to its offer only")

		Expect(viewing.WaitFrames(ctx, 15)).To(Succeed())
		Expect(viewing.Done()).NotTo(BeClosed())
	}, SpecTimeout(specTime))
})
