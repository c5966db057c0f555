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

// listening signs the owner in on a phone, and passes the TURN credentials on that
// it is told.
func (s *stage) listening(ctx SpecContext) (phone *simapp.Phone, told <-chan wire.Message) {
	GinkgoHelper()
	credentials := make(chan wire.Message, 16)
	phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
		if m.Type == wire.TypeCredentials {
			credentials <- m
		}
	})
	Expect(err).NotTo(HaveOccurred())
	return phone, credentials
}

// watch opens the robot's picture on a phone of its own and waits for frames.
func (s *stage) watch(ctx SpecContext, o simapp.Options) *simapp.Viewing {
	GinkgoHelper()
	return s.watchAs(ctx, s.owner, o)
}

func (s *stage) watchAs(ctx SpecContext, user harness.User, o simapp.Options) *simapp.Viewing {
	GinkgoHelper()
	phone, err := s.Dial(ctx, user, nil)
	Expect(err).NotTo(HaveOccurred())
	viewing, err := phone.Watch(ctx, o)
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
	return s.puppetOf(ctx, robotID, s.configFile, s.owner)
}

// another connects as one more robot, likewise.
func (s *stage) another(ctx SpecContext, id wire.DeviceID, owner harness.User) *harness.Peer {
	GinkgoHelper()
	configFile, err := s.AddDevice(ctx, id, owner)
	Expect(err).NotTo(HaveOccurred())
	return s.puppetOf(ctx, id, configFile, owner)
}

func (s *stage) puppetOf(ctx SpecContext, id wire.DeviceID, configFile string, owner harness.User) *harness.Peer {
	GinkgoHelper()
	robot, err := s.RawRobot(ctx, id, configFile)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(robot.Close)
	Expect(s.AwaitOnline(ctx, id, owner)).To(Succeed())
	return robot
}

// request asks for a robot's picture.
func request(app *harness.Peer, device wire.DeviceID) {
	GinkgoHelper()
	Expect(app.Send(wire.Message{Type: wire.TypeRequest, DeviceID: device})).To(Succeed())
}

// offered takes a session as far as the robot's offer. The app's user has one robot.
func offered(ctx SpecContext, app, robot *harness.Peer) wire.SessionID {
	GinkgoHelper()
	request(app, "")
	asked, err := robot.Next(ctx, wire.TypeRequest)
	Expect(err).NotTo(HaveOccurred())
	Expect(robot.Send(wire.Message{Type: wire.TypeOffer, SessionID: asked.SessionID, SDP: sdp("offer")})).To(Succeed())
	offer, err := app.Next(ctx, wire.TypeOffer)
	Expect(err).NotTo(HaveOccurred())
	return offer.SessionID
}

// answered takes it as far as the app's answer.
func answered(ctx SpecContext, app, robot *harness.Peer) wire.SessionID {
	GinkgoHelper()
	id := offered(ctx, app, robot)
	Expect(app.Send(wire.Message{Type: wire.TypeAnswer, SessionID: id, SDP: sdp("answer")})).To(Succeed())
	_, err := robot.Next(ctx, wire.TypeAnswer)
	Expect(err).NotTo(HaveOccurred())
	return id
}

// sdp is a description with nothing in it.
func sdp(kind string) *wire.SessionDescription {
	return &wire.SessionDescription{Type: kind, SDP: "v=0\r\n"}
}

// restart ends the relay and starts it again with what its settings are now.
func (s *stage) restart(ctx SpecContext) {
	GinkgoHelper()
	Expect(s.Relay.Stop()).To(Succeed())
	Expect(s.StartRelay(ctx)).To(Succeed())
}

// expectSessions says how many sessions the relay has.
func (s *stage) expectSessions(ctx SpecContext, n int) {
	GinkgoHelper()
	Eventually(func() (int, error) {
		stats, err := s.RelayStats(ctx, s.owner)
		return stats.Sessions, err
	}).WithContext(ctx).Should(Equal(n), "sessions on the relay")
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

// expectViewers says how many the robot is connected with.
func (s *stage) expectViewers(ctx SpecContext, n int) {
	GinkgoHelper()
	Eventually(func() (int, error) {
		status, err := s.RobotStatus(ctx, robotID)
		return status.PeerConnections, err
	}).WithContext(ctx).Should(Equal(n), "peer connections on the robot")
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
