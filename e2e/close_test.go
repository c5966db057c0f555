package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
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
		s.expectSessions(ctx, 0)
		Eventually(s.LiveCredentials).WithContext(ctx).Should(BeZero())
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
})
