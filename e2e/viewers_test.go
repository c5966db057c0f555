package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("Two viewers of one robot", func(b harness.Backend) {
	It("share one encoder, and a third is refused without their noticing", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		first := s.watch(ctx, simapp.Options{Device: robotID})
		second := s.watch(ctx, simapp.Options{Device: robotID})

		third, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID})
		if err == nil { // refused by the robot, after the relay's credentials
			Eventually(third.Done()).Should(BeClosed())
			err = third.Err()
		}
		var refusal *simapp.RelayError
		Expect(err).To(BeAssignableToTypeOf(refusal))
		Expect(err).To(HaveField("Code", wire.CodeViewerLimit))

		status, err := s.RobotStatus(ctx, robotID)
		Expect(err).NotTo(HaveOccurred())
		Expect(status.PeerConnections).To(Equal(2))
		Expect(status.Encoders).To(Equal(1))
		for _, viewing := range []*simapp.Viewing{first, second} {
			Expect(viewing.WaitFrames(ctx, 15)).To(Succeed())
			Expect(*viewing.Report().StampErrors).To(BeZero())
		}
	}, SpecTimeout(specTime))

	It("may take different codecs", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		h264 := s.watch(ctx, simapp.Options{Device: robotID, Codec: "h264"})
		vp8 := s.watch(ctx, simapp.Options{Device: robotID, Codec: "vp8"})
		Expect(h264.WaitFrames(ctx, 15)).To(Succeed())
		Expect(vp8.WaitFrames(ctx, 15)).To(Succeed())
		Expect(h264.Report().Codec).To(Equal("h264"))
		Expect(vp8.Report().Codec).To(Equal("vp8"))
	}, SpecTimeout(specTime))

	It("make room for the next when one leaves", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		first := s.watch(ctx, simapp.Options{Device: robotID})
		s.watch(ctx, simapp.Options{Device: robotID})
		first.Close()
		Eventually(func() (int, error) {
			status, err := s.RobotStatus(ctx, robotID)
			return status.PeerConnections, err
		}).Should(Equal(1))
		s.watch(ctx, simapp.Options{Device: robotID})
	}, SpecTimeout(specTime))

	It("are not counted twice when one phone asks again", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		phone := s.phone(ctx)
		for range 4 {
			viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
			Expect(err).NotTo(HaveOccurred())
			Expect(viewing.WaitFrames(ctx, 3)).To(Succeed())
		}
		Eventually(func() (int, error) {
			status, err := s.RobotStatus(ctx, robotID)
			return len(status.Sessions), err
		}).Should(Equal(1))
	}, SpecTimeout(specTime))
})
