package e2e

import (
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/pgtest"
	"wimz.dev/live/simapp"
)

var _ = Describe("A relay that is killed while people register", func() {
	It("knows everybody whom it has answered", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		const (
			people  = 4  // register at the same time, again and again
			enough  = 12 // have had their answer when it is killed
			atMost  = 60 // registrations and logins without a pause are let through
			perHead = (atMost - enough) / people
		)
		answered := make(chan harness.User, atMost)
		var load sync.WaitGroup
		for person := range people {
			load.Go(func() {
				for n := range perHead {
					user, err := s.Register(ctx, fmt.Sprintf("user%d-%d@example.com", person, n))
					if err != nil {
						return // killed
					}
					answered <- user
				}
			})
		}
		Eventually(func() int { return len(answered) }).WithContext(ctx).Should(BeNumerically(">=", enough))
		Expect(s.Relay.Kill()).To(Succeed())
		load.Wait()
		close(answered)

		Expect(s.StartRelay(ctx)).To(Succeed())
		for user := range answered {
			_, err := simapp.Login(ctx, s.RelayURL(), user.Email, user.Password)
			Expect(err).NotTo(HaveOccurred(), user.Email)
		}
	}, SpecTimeout(specTime))

	It("goes back to a backup that was made before", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		_, err := s.Operate(ctx, "backup", "copy.db")
		Expect(err).NotTo(HaveOccurred())
		late := s.user(ctx, "late@example.com")
		_, err = s.Operate(ctx, "restore", "copy.db", "--force")
		Expect(err).To(MatchError(ContainSubstring("in use: stop the relay")))

		Expect(s.Relay.Kill()).To(Succeed())
		_, err = s.Operate(ctx, "restore", "copy.db", "--force")
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRelay(ctx)).To(Succeed())
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		_, err = simapp.Login(ctx, s.RelayURL(), late.Email, late.Password)
		Expect(err).To(HaveOccurred(), "it did not exist when the backup was made")
	}, SpecTimeout(specTime))
})

var _ = everywhere("An owner whose robot is away", func(b harness.Backend) {
	It("learns when it was there last, also from a relay that was restarted since", func(ctx SpecContext) {
		began := time.Now().Truncate(time.Second)
		s := ready(ctx, b, harness.Options{})
		away := func(g Gomega) simapp.DeviceStatus {
			devices, err := simapp.Devices(ctx, s.RelayURL(), s.owner.Token)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(devices).To(HaveLen(1))
			return devices[0]
		}
		known := And(HaveField("Online", false), HaveField("LastSeen", BeTemporally(">=", began)))
		Expect(s.Robots[robotID].Stop()).To(Succeed())
		Eventually(away).WithContext(ctx).Should(known)
		seen := away(Default)
		s.restart(ctx)
		Expect(away(Default)).To(Equal(seen))
	}, SpecTimeout(specTime))
})

var _ = everywhere("A relay on PostgreSQL", func(b harness.Backend) {
	It("carries a session from end to end, and is the same after a restart", func(ctx SpecContext) {
		log := gbytes.NewBuffer()
		GinkgoWriter.TeeTo(log)
		DeferCleanup(GinkgoWriter.ClearTeeWriters)
		server, err := pgtest.Start(ctx, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		url, err := server.Create(ctx)
		Expect(err).NotTo(HaveOccurred())
		s := ready(ctx, b, harness.Options{DatabaseURL: url})

		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		Expect(viewing.WaitFrames(ctx, 30)).To(Succeed())
		viewing.Close()
		s.expectNothingLeft(ctx)

		s.restart(ctx)
		Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
		viewing = s.watch(ctx, simapp.Options{Device: robotID})

		Expect(s.Ready(ctx)).To(Succeed())
		Expect(server.Stop()).To(Succeed())
		Expect(s.Ready(ctx)).To(MatchError(ContainSubstring("503")))
		Expect(viewing.WaitFrames(ctx, 15)).To(Succeed(), "media needs no database")
		viewing.Close()
		Expect(log.Contents()).NotTo(ContainSubstring(server.Password()))
	}, SpecTimeout(specTime))
})
