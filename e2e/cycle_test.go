package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("An owner who opens the app", func(b harness.Backend) {
	DescribeTable("sees the robot's picture, frame by frame", func(ctx SpecContext, codec string) {
		s := ready(ctx, b, harness.Options{})

		viewing, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID, Codec: codec})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed(), "30 consecutive stamped frames")

		report := viewing.Report()
		Expect(report.Codec).To(Equal(codec))
		Expect(*report.StampErrors).To(BeZero(), "pictures with a wrong stamp")
		Expect(*report.Repeated).To(BeZero(), "frames shown twice")
		Expect(report.Phases).To(HaveKey(simapp.PhaseFrame))
		Expect([]string{report.Pair.Local, report.Pair.Remote}).NotTo(ContainElement("relay"), "one machine needs no TURN")

		viewing.Close()
		s.expectNothingLeft(ctx)
	},
		Entry("in H264", SpecTimeout(specTime), "h264"),
		Entry("in VP8", SpecTimeout(specTime), "vp8"),
	)

	It("gets every message of the session in the order of the contract", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		heard := make(chan wire.Message, 256)
		phone, err := s.Dial(ctx, s.owner, func(m wire.Message) { heard <- m })
		Expect(err).NotTo(HaveOccurred())
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 1)).To(Succeed())

		var types []wire.Type
		for len(heard) > 0 {
			m := <-heard
			if m.SessionID == "" {
				continue // news of the robot's presence
			}
			Expect(m.SessionID).To(Equal(viewing.SessionID()))
			types = append(types, m.Type)
		}
		Expect(types).To(HaveExactElements(append(
			[]any{wire.TypeCredentials, wire.TypeOffer}, candidates(len(types)-2)...,
		)...))
	}, SpecTimeout(specTime))
})

func candidates(n int) []any {
	types := make([]any, n)
	for i := range types {
		types[i] = wire.TypeICE
	}
	return types
}
