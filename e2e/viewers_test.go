package e2e

import (
	"syscall"
	"time"

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
		s.expectViewers(ctx, 1)
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
		s.expectViewers(ctx, 1)
	}, SpecTimeout(specTime))
})

var _ = Describe("A viewer who vanishes without a word", func() {
	It("does not keep the next one out for longer than ten seconds", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		first := s.watch(ctx, simapp.Options{Device: robotID})
		vanishing := s.simapp("watch", "--device", string(robotID))
		s.expectViewers(ctx, 2)
		Eventually(func(g Gomega) { // it is heard of, and then it is not
			status, err := s.RobotStatus(ctx, robotID)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(status.Sessions).To(HaveEach(HaveField("State", BeEquivalentTo("connected"))))
		}).WithContext(ctx).Should(Succeed())
		vanishing.Signal(syscall.SIGSTOP)

		Eventually(func() error {
			next, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID})
			if err == nil {
				err = next.WaitFrames(ctx, 3)
			}
			return err
		}).WithContext(ctx).WithTimeout(15 * time.Second).WithPolling(time.Second).Should(Succeed())
		Expect(first.WaitFrames(ctx, 5)).To(Succeed())
		s.expectViewers(ctx, 2)
	}, SpecTimeout(specTime))
})
