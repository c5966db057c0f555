package e2e

import (
	"fmt"
	"os"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

const (
	warmSessions = 50       // after these a robot has all the memory it needs
	maxGrowth    = 10 << 20 // bytes of resident memory, from then on
)

// sessionsToSoak is few, and fewer in process, where the race detector makes each
// several times as long; make soak sets a thousand, and takes minutes.
func sessionsToSoak(b harness.Backend) int {
	sessions, slower := 80, 8
	if n, err := strconv.Atoi(os.Getenv("SOAK_SESSIONS")); err == nil {
		sessions, slower = n, 5
	}
	if b == (harness.InProcess{}) {
		return sessions / slower
	}
	return sessions
}

var _ = everywhere("A robot whose two viewers come and go", func(b harness.Backend) {
	sessions := sessionsToSoak(b)

	It("is as it was before the first", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{NoLimits: true})
		phones := [...]*simapp.Phone{s.phone(ctx), s.phone(ctx)}
		comeAndGo := func(sessions int) {
			GinkgoHelper()
			work, within := errgroup.WithContext(ctx)
			for _, phone := range phones {
				work.Go(func() error {
					for range sessions / len(phones) {
						viewing, err := phone.Watch(within, simapp.Options{Device: robotID})
						if err != nil {
							return err
						}
						select {
						case <-viewing.Connected():
						case <-viewing.Done():
							return viewing.Err()
						case <-within.Done():
						}
						viewing.Close()
					}
					return nil
				})
			}
			Expect(work.Wait()).To(Succeed())
			s.expectNothingLeft(ctx)
		}

		if b == (harness.InProcess{}) {
			comeAndGo(sessions)
			return // the memory is everybody's
		}
		comeAndGo(warmSessions)
		warm := s.robotMemory(ctx)
		comeAndGo(sessions - warmSessions)
		after := s.robotMemory(ctx)
		AddReportEntry(fmt.Sprintf("MB after %d and after %d sessions", warmSessions, sessions), []float64{warm / 1e6, after / 1e6})
		Expect(after).To(BeNumerically("<", warm+maxGrowth), "resident memory of the robot")
	}, SpecTimeout(specTime+time.Duration(sessions)*time.Second))
})

// robotMemory is what the robot's process has in memory, in bytes.
func (s *stage) robotMemory(ctx SpecContext) float64 {
	GinkgoHelper()
	figures, err := s.RobotMetrics(ctx, robotID)
	Expect(err).NotTo(HaveOccurred())
	Expect(figures).To(HaveKey("process_resident_memory_bytes"))
	return figures["process_resident_memory_bytes"]
}
