package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

var _ = everywhere("When a socket is lost", func(b harness.Backend) {
	It("a newer one of the same robot takes its place at once, and keeps the session", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, old := s.app(ctx, s.owner), s.puppet(ctx)
		id := offered(ctx, app, old)
		app.Heard()

		begin := time.Now()
		young := s.puppet(ctx)
		Eventually(old.Down).Should(Receive(), "the old one is closed")
		Expect(time.Since(begin)).To(BeNumerically("<", 2*time.Second), "nobody waits for a dead socket")
		Expect(app.Send(wire.Message{
			Type: wire.TypeAnswer, SessionID: id, SDP: &wire.SessionDescription{Type: "answer", SDP: "v=0\r\n"},
		})).To(Succeed())
		answer, err := young.Next(ctx, wire.TypeAnswer)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.SessionID).To(Equal(id))
		Expect(app.Barrier(ctx)).To(BeEmpty(), "no offline event")
	}, SpecTimeout(specTime))

	It("the app resumes its session on another", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		id := offered(ctx, app, robot)
		Expect(app.Close()).To(Succeed())

		again := s.app(ctx, s.owner)
		Expect(again.Send(wire.Message{Type: wire.TypeResume, SessionID: id})).To(Succeed())
		resumed, err := again.Next(ctx, wire.TypeResumed)
		Expect(err).NotTo(HaveOccurred())
		Expect(resumed.SessionID).To(Equal(id))
		Expect(again.Send(wire.Message{Type: wire.TypeClose, SessionID: id})).To(Succeed())
		closed, err := robot.Next(ctx, wire.TypeClose)
		Expect(err).NotTo(HaveOccurred())
		Expect(closed.SessionID).To(Equal(id))
	}, SpecTimeout(specTime))

	It("the session ends when the robot stays away", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{Grace: time.Millisecond})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		offered(ctx, app, robot)
		Expect(robot.Close()).To(Succeed())
		closed, err := app.Next(ctx, wire.TypeClose)
		Expect(err).NotTo(HaveOccurred())
		Expect(closed.Reason).To(Equal(wire.ReasonRobotGone))
	}, SpecTimeout(specTime))
})
