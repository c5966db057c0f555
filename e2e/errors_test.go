package e2e

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/wire"
)

// failure is a request that cannot succeed, and its one answer.
type failure struct {
	given  harness.Options
	fault  fakecloudflare.Fault
	robot  bool // a robot is connected that does only what it is told
	ask    func(ctx SpecContext, s *stage, app, robot *harness.Peer)
	answer wire.Code
	text   string
}

var _ = everywhere("A request that fails ends in one clear answer:", func(b harness.Backend) {
	DescribeTable("", func(ctx SpecContext, f failure) {
		s := empty(ctx, b, f.given)
		Expect(s.SetFault(ctx, f.fault)).To(Succeed())
		var robot *harness.Peer
		if f.robot {
			robot = s.puppet(ctx)
		}
		app := s.app(ctx, s.owner)
		f.ask(ctx, s, app, robot)

		refusal, err := app.Next(ctx, wire.TypeError)
		Expect(err).NotTo(HaveOccurred())
		Expect(refusal.Code).To(Equal(f.answer))
		Expect(refusal.Text).To(ContainSubstring(f.text))
		if f.answer == wire.CodeTooLarge {
			return // and the socket is closed
		}
		rest, err := app.Barrier(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(rest).To(BeEmpty(), "nothing comes after the answer")
		s.expectSessions(ctx, 0) // in a moment: the answer is said before everything is given back
	},
		Entry("NO_DEVICE when it does not say which of two robots", SpecTimeout(specTime), failure{
			ask: func(ctx SpecContext, s *stage, app, _ *harness.Peer) {
				_, err := s.AddDevice(ctx, "wimz_other", s.owner)
				Expect(err).NotTo(HaveOccurred())
				request(app, "")
			},
			answer: wire.CodeNoDevice,
		}),
		Entry("NOT_AUTHORIZED when the robot is somebody else's", SpecTimeout(specTime), failure{
			robot: true,
			ask: func(ctx SpecContext, s *stage, app, _ *harness.Peer) {
				_, err := s.AddDevice(ctx, "wimz_theirs", s.user(ctx, "neighbour@example.com"))
				Expect(err).NotTo(HaveOccurred())
				request(app, "wimz_theirs")
			},
			answer: wire.CodeNotAuthorized, text: "Not authorized",
		}),
		Entry("NOT_AUTHORIZED, just the same, when there is no such robot", SpecTimeout(specTime), failure{
			ask:    func(_ SpecContext, _ *stage, app, _ *harness.Peer) { request(app, "wimz_nobody") },
			answer: wire.CodeNotAuthorized, text: "Not authorized",
		}),
		Entry("DEVICE_OFFLINE when the robot is switched off", SpecTimeout(specTime), failure{
			ask:    func(_ SpecContext, _ *stage, app, _ *harness.Peer) { request(app, robotID) },
			answer: wire.CodeDeviceOffline, text: "Device offline",
		}),
		Entry("DEVICE_OFFLINE when the robot is lost before it offers", SpecTimeout(specTime), failure{
			robot: true,
			ask: func(ctx SpecContext, _ *stage, app, robot *harness.Peer) {
				request(app, robotID)
				_, err := robot.Next(ctx, wire.TypeRequest)
				Expect(err).NotTo(HaveOccurred())
				Expect(robot.Close()).To(Succeed())
			},
			answer: wire.CodeDeviceOffline,
		}),
		Entry("TURN_ERROR when TURN is required and the provider is down", SpecTimeout(specTime), failure{
			given: harness.Options{TURNRequired: true},
			fault: fakecloudflare.Fault{Status: 503},
			robot: true,
			ask:   func(_ SpecContext, _ *stage, app, _ *harness.Peer) { request(app, robotID) },

			answer: wire.CodeTURNError, text: "TURN error: ",
		}),
		Entry("SESSION_UNKNOWN when it resumes what is not there", SpecTimeout(specTime), failure{
			ask: func(_ SpecContext, _ *stage, app, _ *harness.Peer) {
				Expect(app.Send(wire.Message{Type: wire.TypeResume, SessionID: "no-such-session"})).To(Succeed())
			},
			answer: wire.CodeSessionUnknown,
		}),
		Entry("BAD_MESSAGE when a field is missing", SpecTimeout(specTime), failure{
			given: harness.Options{Hostile: true},
			ask: func(_ SpecContext, _ *stage, app, _ *harness.Peer) {
				Expect(app.Send(wire.Message{Type: wire.TypeAnswer, SessionID: "some-session"})).To(Succeed())
			},
			answer: wire.CodeBadMessage,
		}),
		Entry("MESSAGE_TOO_LARGE when a message is over 64 KiB", SpecTimeout(specTime), failure{
			ask: func(_ SpecContext, _ *stage, app, _ *harness.Peer) {
				Expect(app.Send(wire.Message{Type: wire.TypeAuth, Token: strings.Repeat("x", wire.MaxFrame)})).To(Succeed())
			},
			answer: wire.CodeTooLarge,
		}),
	)

	It("RATE_LIMITED, with the time to wait, when a user asks without end", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app := s.app(ctx, s.owner)
		for range 40 {
			request(app, robotID)
		}
		var limited int
		rest, err := app.Barrier(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range rest {
			if m.Code == wire.CodeRateLimited {
				limited++
				Expect(m.RetryAfter).To(BeNumerically(">", 0))
			}
		}
		Expect(limited).To(BeNumerically(">", 10))
	}, SpecTimeout(specTime))

	It("webrtc_error, as the robot words it, when the robot gives up", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		id := offered(ctx, app, robot)
		Expect(robot.Send(wire.Message{Type: wire.TypeRobotError, SessionID: id, Error: "no camera"})).To(Succeed())
		told, err := app.Next(ctx, wire.TypeRobotError)
		Expect(err).NotTo(HaveOccurred())
		Expect(told.Error).To(Equal("no camera"))
		s.expectSessions(ctx, 0)
	}, SpecTimeout(specTime))
})
