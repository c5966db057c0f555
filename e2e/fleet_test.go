package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

const (
	// fleetSize is how many robots a relay has in these specs, and homeTime how
	// long they may all take to be back once there is a relay again.
	fleetSize = 1000
	homeTime  = 30 * time.Second
)

// fleet is many robots' sockets in this process.
type fleet struct {
	robots []*fleetRobot
}

// fleetRobot is a robot's socket, and the log of its client: where it says for how
// long it stays away.
type fleetRobot struct {
	up    atomic.Bool
	mu    sync.Mutex
	pause *time.Duration // the first since the last [fleet.pauses]
}

// Enabled implements [slog.Handler].
func (*fleetRobot) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements [slog.Handler].
func (r *fleetRobot) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup implements [slog.Handler].
func (r *fleetRobot) WithGroup(string) slog.Handler { return r }

// Handle implements [slog.Handler].
func (r *fleetRobot) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "retry_in" {
			r.note(a.Value.Duration())
		}
		return true
	})
	return nil
}

func (r *fleetRobot) note(pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pause == nil {
		r.pause = &pause
	}
}

// launch connects a fleet, each robot as the programs do it.
func (s *stage) launch(ctx SpecContext) *fleet {
	GinkgoHelper()
	names := make([]wire.DeviceID, fleetSize)
	for i := range names {
		names[i] = wire.DeviceID(fmt.Sprintf("fleet-%d", i))
	}
	Expect(s.CopyDevice(ctx, robotID, names)).To(Succeed())
	secret, err := harness.DeviceSecret(s.configFile)
	Expect(err).NotTo(HaveOccurred())

	f := &fleet{}
	life, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	DeferCleanup(func() {
		end()
		running.Wait()
	})
	for _, name := range names {
		r := &fleetRobot{}
		c, err := client.New(client.Config{
			URL: s.Relay.URL(""), Identity: client.Device(name, secret), Log: slog.New(r),
			OnUp:      func() { r.up.Store(true) },
			OnDown:    func(error) { r.up.Store(false) },
			OnMessage: func(wire.Message) {},
			Delay:     5 * time.Second, // as a robot has it
		})
		Expect(err).NotTo(HaveOccurred())
		f.robots = append(f.robots, r)
		running.Go(func() { _ = c.Run(life) })
	}
	s.expectHome(ctx, f)
	f.pauses()
	return f
}

// expectHome says that all are connected, and that the relay knows.
func (s *stage) expectHome(ctx SpecContext, f *fleet) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		away := slices.IndexFunc(f.robots, func(r *fleetRobot) bool { return !r.up.Load() })
		g.Expect(away).To(Equal(-1), "the number of a robot that is away")
		stats, err := s.RelayStats(ctx, s.owner)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(stats.Robots).To(Equal(len(f.robots)))
	}).WithContext(ctx).WithTimeout(homeTime).WithPolling(200 * time.Millisecond).Should(Succeed())
}

// pauses returns how long each robot stayed away at first, since the last call.
func (f *fleet) pauses() []time.Duration {
	var all []time.Duration
	for _, r := range f.robots {
		r.mu.Lock()
		if r.pause != nil {
			all = append(all, *r.pause)
		}
		r.pause = nil
		r.mu.Unlock()
	}
	return all
}

// busiest is the largest number of robots that come within the same second.
func busiest(pauses []time.Duration) int {
	slices.Sort(pauses)
	most, from := 0, 0
	for i, pause := range pauses {
		for pause-pauses[from] >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

var _ = Describe("A fleet of a thousand robots", Serial, func() {
	// What is asserted is what the robots decide, which is the same on every
	// machine; when they are back is their relay's matter, too.
	It("comes back one after the other, and soon, from a restart and from a crash of the relay", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{LogLevel: slog.LevelWarn})
		f := s.launch(ctx)

		By("restarting the relay, which tells them when to come")
		s.restart(ctx)
		s.expectHome(ctx, f)
		told := f.pauses()
		Expect(told).To(HaveLen(fleetSize))
		Expect(busiest(told)).To(BeNumerically("<", fleetSize*12/100), "in one second, of 15 and each one's own 5")
		Expect(slices.Max(told)).To(BeNumerically("<=", 20*time.Second))

		By("killing the relay, so that each has to choose")
		Expect(s.Relay.Kill()).To(Succeed())
		Expect(s.StartRelay(ctx)).To(Succeed())
		s.expectHome(ctx, f)
		chosen := f.pauses()
		Expect(chosen).To(HaveLen(fleetSize))
		Expect(busiest(chosen)).To(BeNumerically("<", fleetSize*30/100), "in one second, of 5")
	}, SpecTimeout(specTime))
})
