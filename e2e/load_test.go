package e2e

import (
	"context"
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
	It("answers every request of many apps, and holds nothing when they are interrupted", func(ctx SpecContext) {
		// Nothing of what is cut off is forgotten by itself while this spec goes on.
		s := empty(ctx, b, harness.Options{NoLimits: true, Grace: specTime})
		var told []load.Progress
		cfg := load.Config{
			RelayURL: s.RelayURL(), Token: s.owner.Token, Apps: 8, For: 2 * time.Second, Rate: 10, Log: slog.New(slog.DiscardHandler),
			Progress: func(p load.Progress) { told = append(told, p) },
		}
		for i := range 6 {
			id := wire.DeviceID(fmt.Sprintf("load_%d", i))
			file, err := s.AddDevice(ctx, id, s.owner)
			Expect(err).NotTo(HaveOccurred())
			secret, err := harness.DeviceSecret(file)
			Expect(err).NotTo(HaveOccurred())
			cfg.Robots = append(cfg.Robots, load.Robot{ID: id, Secret: secret})
		}
		slow, err := load.Run(ctx, cfg)
		Expect(err).NotTo(HaveOccurred())
		Expect(slow.Errors).To(BeEmpty())
		Expect(slow.Sessions).To(BeNumerically(">", 0))
		Expect(float64(slow.Sessions)).To(BeNumerically("<=", slow.Seconds*cfg.Rate+2), "no more than was asked for")

		cfg.For, cfg.Rate = time.Minute, 0
		interrupted, interrupt := context.WithTimeout(ctx, 3*time.Second)
		defer interrupt()
		report, err := load.Run(interrupted, cfg)
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("figures", report)
		Expect(report.Errors).To(BeEmpty())
		Expect(report.Lost).To(BeZero())
		Expect(report.Sessions).To(BeNumerically(">", 20+2*3), "more than the limits would allow")
		for _, step := range load.Steps() {
			Expect(report.Steps[step].P99).To(BeNumerically(">", 0), step)
		}
		Expect(report.Steps["credentials"].P50).To(BeNumerically("<=", report.Steps["session"].P50))
		Expect(told).To(ContainElement(HaveField("Sessions", BeNumerically(">", 0))))
		Expect(told).To(HaveEach(HaveField("Ends", 14)))
		Eventually(func(g Gomega) {
			stats, err := s.RelayStats(ctx, s.owner)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(stats.Sessions + stats.Apps + stats.Robots).To(BeZero())
		}).Should(Succeed())
	}, SpecTimeout(specTime))
})
