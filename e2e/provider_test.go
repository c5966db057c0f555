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
	It("is down, the owner still sees video, and the app is told that it is without TURN", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		Expect(s.SetFault(ctx, fakecloudflare.Fault{Status: 503})).To(Succeed())
		phone, told := s.listening(ctx)
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
		Expect(told).To(Receive(HaveField("Degraded", wire.DegradedNoTURN)))
	}, SpecTimeout(specTime))

	It("answers late and in the first form of its API, its servers serve", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		Expect(s.SetFault(ctx, fakecloudflare.Fault{DelayMS: 200, Body: fakecloudflare.BodyObject})).To(Succeed())
		viewing := s.watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
	}, SpecTimeout(specTime))

	It("hangs and comes back, an owner behind a firewall sees video without asking again", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		Expect(s.SetFault(ctx, fakecloudflare.Fault{Hang: true})).To(Succeed())
		phone, told := s.listening(ctx)
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(err).NotTo(HaveOccurred())
		Expect(told).To(Receive(HaveField("Degraded", wire.DegradedNoTURN)))
		Eventually(func() map[simapp.Phase]float64 { return viewing.Report().Phases }).Should(HaveKey(simapp.PhaseAnswer))
		Expect(s.SetFault(ctx, fakecloudflare.Fault{})).To(Succeed())
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed())
		Expect(told).To(Receive(HaveField("Degraded", BeEmpty())))
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
	It("sees video through TURN alone", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		viewing := s.watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed())
		Expect(viewing.Report().Pair.Local).To(Equal("relay"))
		Expect(*viewing.Report().StampErrors).To(BeZero())
	}, SpecTimeout(specTime))
})
