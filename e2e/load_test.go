package e2e

import (
	"fmt"
	"log/slog"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/load"
)

var _ = everywhere("A relay under load", func(b harness.Backend) {
	It("answers every request of many apps, and holds nothing afterwards", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{NoLimits: true})
		cfg := load.Config{
			RelayURL: s.RelayURL(), Token: s.owner.Token, Apps: 4, For: 4 * time.Second, Log: slog.New(slog.DiscardHandler),
		}
		for i := range 6 {
			id := wire.DeviceID(fmt.Sprintf("load_%d", i))
			file, err := s.AddDevice(ctx, id, s.owner)
			Expect(err).NotTo(HaveOccurred())
			secret, err := harness.DeviceSecret(file)
			Expect(err).NotTo(HaveOccurred())
			cfg.Robots = append(cfg.Robots, load.Robot{ID: id, Secret: secret})
		}
		report, err := load.Run(ctx, cfg)
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("figures", report)
		Expect(report.Errors).To(BeEmpty())
		Expect(report.Lost).To(BeZero())
		Expect(report.Cycles).To(BeNumerically(">", 20+2*4), "more than the limits would allow")
		Expect(report.Told.P50).To(BeNumerically("<=", report.Cycle.P50))
		Eventually(func(g Gomega) {
			stats, err := s.RelayStats(ctx, s.owner)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(stats.Sessions + stats.Apps + stats.Robots).To(BeZero())
		}).Should(Succeed())
	}, SpecTimeout(specTime))
})
