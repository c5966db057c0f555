package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("When the TURN provider", func(b harness.Backend) {
	DescribeTable("fails, the owner still sees video, and the app is told that it is without TURN:",
		func(ctx SpecContext, fault fakecloudflare.Fault) {
			s := ready(ctx, b, harness.Options{})
			s.lossy = true // what the relay cannot read it cannot revoke
			Expect(s.SetFault(ctx, fault)).To(Succeed())
			degraded := make(chan string, 1)
			phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
				if m.Type == wire.TypeCredentials {
					degraded <- m.Degraded
				}
			})
			Expect(err).NotTo(HaveOccurred())
			viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
			Expect(err).NotTo(HaveOccurred())
			Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
			Expect(degraded).To(Receive(Equal(wire.DegradedNoTURN)))
		},
		Entry("is down", SpecTimeout(specTime), fakecloudflare.Fault{Status: 503}),
		Entry("refuses our token", SpecTimeout(specTime), fakecloudflare.Fault{Status: 401}),
		Entry("hangs", SpecTimeout(specTime), fakecloudflare.Fault{Hang: true}),
		Entry("drops the connection", SpecTimeout(specTime), fakecloudflare.Fault{Drop: true}),
		Entry("answers half a body", SpecTimeout(specTime), fakecloudflare.Fault{Body: fakecloudflare.BodyTruncated}),
		Entry("answers an error page with status 200", SpecTimeout(specTime), fakecloudflare.Fault{Status: 200, Body: fakecloudflare.BodyHTML}),
		Entry("answers without end", SpecTimeout(specTime), fakecloudflare.Fault{Body: fakecloudflare.BodyOversized}),
		Entry("names no TURN server", SpecTimeout(specTime), fakecloudflare.Fault{Body: fakecloudflare.BodyNoTURN}),
	)

	DescribeTable("answers, its servers serve:", func(ctx SpecContext, fault fakecloudflare.Fault) {
		s := ready(ctx, b, harness.Options{})
		Expect(s.SetFault(ctx, fault)).To(Succeed())
		viewing := s.watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
	},
		Entry("late", SpecTimeout(specTime), fakecloudflare.Fault{DelayMS: 200}),
		Entry("at the second attempt", SpecTimeout(specTime), fakecloudflare.Fault{Status: 500, Times: 1}),
		Entry("in the first form of its API", SpecTimeout(specTime), fakecloudflare.Fault{Body: fakecloudflare.BodyObject}),
		Entry("with a single URL", SpecTimeout(specTime), fakecloudflare.Fault{Body: fakecloudflare.BodySingleURL}),
	)

	It("hangs and comes back, an owner behind a firewall sees video without asking again", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		Expect(s.SetFault(ctx, fakecloudflare.Fault{Hang: true})).To(Succeed())
		degraded := make(chan string, 2)
		phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
			if m.Type == wire.TypeCredentials {
				degraded <- m.Degraded
			}
		})
		Expect(err).NotTo(HaveOccurred())
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(err).NotTo(HaveOccurred())
		Expect(degraded).To(Receive(Equal(wire.DegradedNoTURN)))
		Eventually(func() map[simapp.Phase]float64 { return viewing.Report().Phases }).Should(HaveKey(simapp.PhaseAnswer))
		Expect(s.SetFault(ctx, fakecloudflare.Fault{})).To(Succeed())
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed())
		Expect(degraded).To(Receive(BeEmpty()))
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
		viewing.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("is asked, a user's sessions with one robot share credentials, revoked with the last", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		first := s.watch(ctx, simapp.Options{Device: robotID})
		second := s.watch(ctx, simapp.Options{Device: robotID})
		_, requests, err := s.Ledger(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(requests).To(Equal(1))
		first.Close()
		Expect(second.WaitFrames(ctx, 5)).To(Succeed())
		Expect(s.LiveCredentials(ctx)).To(Equal(1))
		second.Close()
		Eventually(s.LiveCredentials).WithContext(ctx).Should(BeZero())
	}, SpecTimeout(specTime))

	It("does not exist, there is video on the local network, and nothing is called degraded", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{NoTURN: true})
		s.watch(ctx, simapp.Options{Device: robotID})
	}, SpecTimeout(specTime))
})

var _ = everywhere("An owner behind a firewall", func(b harness.Backend) {
	DescribeTable("sees video through TURN alone", func(ctx SpecContext, codec string) {
		s := ready(ctx, b, harness.Options{})
		viewing := s.watch(ctx, simapp.Options{Device: robotID, Codec: codec, RelayOnly: true})
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed())
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
		Expect(*viewing.Report().StampErrors).To(BeZero())
	},
		Entry("in H264", SpecTimeout(specTime), "h264"),
		Entry("in VP8", SpecTimeout(specTime), "vp8"),
	)
})
