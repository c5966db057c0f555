// Package e2e holds the suites that drive the whole system: real relay, robot,
// encoders, TURN server and decoders. Each spec is a sentence about what a user
// sees, and runs on the programs in process and as binaries.
package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// specTime bounds every spec: none waits for ever, whatever is broken.
const specTime = 90 * time.Second

var (
	turn     *harness.TURN
	binaries harness.Binaries
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "WIM-Z live video")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dir, err := filepath.Abs(cmp.Or(os.Getenv("E2E_BIN"), "../.bin"))
	Expect(err).NotTo(HaveOccurred())
	binaries = harness.Binaries{Dir: dir}
	Expect(binaries.Check()).To(Succeed())
	turn, err = harness.StartTURN(ctx, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return turn.Stop() })
}, NodeTimeout(time.Minute))

var _ = JustAfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() {
		Expect(turn.CopyLog(ctx, GinkgoWriter)).To(Succeed())
	}
})

var _ = ReportAfterSuite("summary", func(Report) {
	if turn != nil {
		_, _ = fmt.Fprintln(os.Stdout, "TURN server of this run:", turn.Kind)
	}
})

// everywhere describes something once for each backend.
func everywhere(text string, args ...any) bool { //nolint:unparam // as Describe itself
	body, ok := args[len(args)-1].(func(b harness.Backend))
	if !ok {
		panic("the last argument is the specs")
	}
	args[len(args)-1] = func() {
		for _, b := range []harness.Backend{harness.InProcess{}, &binaries} {
			Context(b.String(), func() { body(b) })
		}
	}
	return Describe(text, args...)
}

// robotID is the robot most specs watch.
const robotID wire.DeviceID = "wimz_abc123"

// stage is what most specs begin with: a relay, an owner and a robot.
type stage struct {
	*harness.System
	owner      harness.User
	configFile string // of the robot
	idle       int    // goroutines of the idle robot; 0 where they can't be told from others
	// lossy: credentials were issued that the relay never had, or has left to
	// expire. Else none may be live at the end.
	lossy bool
}

// empty brings up a relay whose owner has a robot that is switched off. The
// spec fails if anything it started is left at its end.
func empty(ctx SpecContext, b harness.Backend, o harness.Options) *stage {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).WithTimeout(5 * time.Second).ShouldNot(gleak.HaveLeaked(before))
	})
	o.Log = GinkgoWriter
	if o.Grace == 0 {
		o.Grace = time.Second
	}
	if o.TURN == nil {
		o.TURN = turn
	}
	system, err := harness.Start(ctx, b, binaries, o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(system.Stop)
	s := &stage{System: system}
	DeferCleanup(s.expectNoCredentials)
	s.owner = s.user(ctx, "owner@example.com")
	s.configFile, err = s.AddDevice(ctx, robotID, s.owner)
	Expect(err).NotTo(HaveOccurred())
	return s
}

// ready brings up a relay and a robot that is online.
func ready(ctx SpecContext, b harness.Backend, o harness.Options) *stage {
	GinkgoHelper()
	s := empty(ctx, b, o)
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
	if b != (harness.InProcess{}) {
		s.idle = s.settled(ctx)
	}
	return s
}

// settled returns how many goroutines the connected robot has when it has begun
// all it does without viewers.
func (s *stage) settled(ctx SpecContext) (goroutines int) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		status, err := s.RobotStatus(ctx, robotID)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(status.Relay).To(Equal("connected"))
		before := goroutines
		goroutines = status.Goroutines
		g.Expect(goroutines).To(Equal(before), "goroutines are still started")
	}).Should(Succeed())
	return goroutines
}

func (s *stage) user(ctx SpecContext, email string) harness.User {
	GinkgoHelper()
	user, err := s.AddUser(ctx, email)
	Expect(err).NotTo(HaveOccurred())
	return user
}

// phone signs the owner in on another phone.
func (s *stage) phone(ctx SpecContext) *simapp.Phone {
	GinkgoHelper()
	phone, err := s.Dial(ctx, s.owner, nil)
	Expect(err).NotTo(HaveOccurred())
	return phone
}

// watch opens the robot's picture on a phone of its own and waits for frames.
func (s *stage) watch(ctx SpecContext, o simapp.Options) *simapp.Viewing {
	GinkgoHelper()
	viewing, err := s.phone(ctx).Watch(ctx, o)
	Expect(err).NotTo(HaveOccurred())
	Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
	return viewing
}

// app connects an app that does only what it is told.
func (s *stage) app(ctx SpecContext, user harness.User) *harness.Peer {
	GinkgoHelper()
	app, err := s.RawApp(ctx, user)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(app.Close)
	return app
}

// puppet connects as the robot, and does only what it is told.
func (s *stage) puppet(ctx SpecContext) *harness.Peer {
	GinkgoHelper()
	robot, err := s.RawRobot(ctx, robotID, s.configFile)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(robot.Close)
	Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
	return robot
}

// expectNoCredentials hangs up, and says that no TURN credential can be used
// any more.
func (s *stage) expectNoCredentials(ctx SpecContext) {
	s.HangUp()
	if s.lossy || CurrentSpecReport().Failed() {
		return
	}
	Eventually(s.LiveCredentials).WithContext(ctx).Should(BeZero(), "TURN credentials that still work")
}

// expectNothingLeft says that relay, robot and TURN provider hold nothing of
// any session, and the robot no more goroutines than before the first.
func (s *stage) expectNothingLeft(ctx SpecContext) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		stats, err := s.RelayStats(ctx, s.owner)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(stats.Sessions).To(BeZero(), "sessions on the relay")
		status, err := s.RobotStatus(ctx, robotID)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(status.Sessions).To(BeEmpty(), "sessions on the robot")
		g.Expect(status.PeerConnections).To(BeZero(), "peer connections on the robot")
		g.Expect(status.Encoders).To(BeZero(), "encoders on the robot")
		if s.idle > 0 {
			g.Expect(status.Goroutines).To(BeNumerically("<=", s.idle), "goroutines of the robot")
		}
		live, err := s.LiveCredentials(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(live).To(BeZero(), "TURN credentials that still work")
	}).Should(Succeed())
}
