package e2e

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// What the longest time between two pictures stays below on a machine that has time
// (see [harness.Lag]): while nothing happens to a session, and while ICE restarts.
const (
	noGap      = 400 * time.Millisecond
	restartGap = time.Second
)

// onlooker is a viewing on a phone of its own that notes what the relay says.
type onlooker struct {
	*simapp.Viewing

	clock            gapMeter
	lag              *harness.Lag
	resumed, renewed chan wire.Message
}

func (s *stage) onlooker(ctx SpecContext, o simapp.Options) *onlooker {
	GinkgoHelper()
	l := &onlooker{resumed: make(chan wire.Message, 16), renewed: make(chan wire.Message, 16)}
	phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
		switch m.Type {
		case wire.TypeResumed:
			l.resumed <- m
		case wire.TypeCredentials:
			l.renewed <- m
		default:
		}
	})
	Expect(err).NotTo(HaveOccurred())
	o.Device, o.OnPicture = robotID, l.clock.tick
	l.Viewing, err = phone.Watch(ctx, o)
	Expect(err).NotTo(HaveOccurred())
	Expect(<-l.renewed).To(HaveField("SessionID", l.SessionID()), "the first credentials")
	Expect(l.WaitFrames(ctx, 5)).To(Succeed())
	l.lag = harness.WatchLag()
	DeferCleanup(l.lag.Stop)
	l.clock.reset()
	return l
}

// expectNoGap says that the picture goes on, and has never stood still for as long as
// this.
func (l *onlooker) expectNoGap(ctx SpecContext, limit time.Duration) {
	GinkgoHelper()
	Expect(l.WaitFrames(ctx, 15)).To(Succeed())
	gap := l.clock.longest()
	AddReportEntry("longest gap", fmt.Sprintf("%v, longest wait for the processor %v", gap, l.lag.Longest()))
	Expect(gap).To(BeNumerically("<", l.lag.Allow(limit)))
}

// expectBack says that robot and onlookers found their sessions on the new relay.
func (s *stage) expectBack(ctx SpecContext, onlookers ...*onlooker) {
	GinkgoHelper()
	Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
	for _, l := range onlookers {
		Eventually(l.resumed).WithTimeout(15 * time.Second).Should(Receive(HaveField("SessionID", l.SessionID())))
	}
	s.expectSessions(ctx, len(onlookers))
}

var _ = everywhere("When the relay is restarted", Serial, func(b harness.Backend) {
	It("twice, no viewer notices, and the sessions come back and are closed as ever", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		first, second := s.onlooker(ctx, simapp.Options{}), s.onlooker(ctx, simapp.Options{})
		for range 2 {
			s.restart(ctx)
			s.expectBack(ctx, first, second)
		}
		for _, l := range []*onlooker{first, second} {
			l.expectNoGap(ctx, noGap)
			Expect(l.renewed).To(BeEmpty(), "no ICE restart just because the relay was restarted")
		}
		first.Close()
		second.Close()
		s.expectSessions(ctx, 0)
		s.expectViewers(ctx, 0)

		// The one credential that both shared was the first relay's, which left it
		// to expire: the viewers needed it longer than that relay lived.
		s.lossy = true
		issued, _, err := s.Ledger(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(issued).To(HaveLen(1))
		s.watch(ctx, simapp.Options{Device: robotID}).Close()
		Eventually(s.LiveCredentials).WithContext(ctx).Should(Equal(1), "that one, and none of the next session")
	}, SpecTimeout(specTime))

	It("credentials that it has never seen are renewed, and the video through TURN goes on", func(ctx SpecContext) {
		server, err := harness.StartPionTURN(GinkgoWriter) // cuts what has expired
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		const life = 20 * time.Second
		s := ready(ctx, b, harness.Options{TURN: server, TTL: life})
		viewer := s.onlooker(ctx, simapp.Options{RelayOnly: true})
		s.restart(ctx)
		s.expectBack(ctx, viewer)

		Eventually(viewer.renewed).WithTimeout(life).Should(Receive(HaveField("SessionID", viewer.SessionID())))
		Eventually(viewer.clock.running).WithTimeout(life).Should(BeNumerically(">", life+2*time.Second), "the first have expired")
		viewer.expectNoGap(ctx, restartGap)
		Expect(viewer.Report().Pair.Local).To(Equal("relay"))
		viewer.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("the session of an account that was disabled meanwhile is over", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		s.lossy = true // the session outlives the relay that had the credentials
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		request(app, robotID)
		asked, err := robot.Next(ctx, wire.TypeRequest)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.Relay.Stop()).To(Succeed())
		Expect(app.Close()).To(Succeed(), "it has nothing to come back to")
		_, err = s.Operate(ctx, "user", "disable", s.owner.Email)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRelay(ctx)).To(Succeed())

		Eventually(func() error {
			return robot.Send(wire.Message{Type: wire.TypeHello, Sessions: []wire.SessionReport{
				{SessionID: asked.SessionID, Ticket: asked.Ticket},
			}})
		}).Should(Succeed())
		closed, err := robot.Next(ctx, wire.TypeClose)
		Expect(err).NotTo(HaveOccurred())
		Expect(closed.Reason).To(Equal(wire.ReasonUnknown))
	}, SpecTimeout(specTime))

	It("a session's ticket counts for its own parties, and nobody else", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		s.lossy = true // the session outlives the relay that had the credentials
		stranger := s.user(ctx, "stranger@example.com")
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		request(app, robotID)
		told, err := app.Next(ctx, wire.TypeCredentials)
		Expect(err).NotTo(HaveOccurred())
		asked, err := robot.Next(ctx, wire.TypeRequest)
		Expect(err).NotTo(HaveOccurred())
		s.restart(ctx)

		resume := wire.Message{Type: wire.TypeResume, SessionID: told.SessionID, Ticket: told.Ticket}
		bare := wire.Message{Type: wire.TypeResume, SessionID: told.SessionID}
		young := s.app(ctx, s.owner)
		expectUnknown(ctx, s.app(ctx, stranger), resume)
		expectUnknown(ctx, young, bare)
		Expect(young.Send(resume)).To(Succeed())
		_, err = young.Next(ctx, wire.TypeResumed)
		Expect(err).NotTo(HaveOccurred())
		expectUnknown(ctx, s.app(ctx, stranger), resume)

		Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())
		Expect(robot.Send(wire.Message{Type: wire.TypeHello, Sessions: []wire.SessionReport{
			{SessionID: asked.SessionID, Ticket: asked.Ticket},
		}})).To(Succeed())
		Expect(young.Send(wire.Message{Type: wire.TypeClose, SessionID: told.SessionID})).To(Succeed())
		for _, peer := range []*harness.Peer{young, robot} {
			closed, err := peer.Next(ctx, wire.TypeClose)
			Expect(err).NotTo(HaveOccurred())
			Expect(closed.Reason).To(Equal(wire.ReasonAppLeft))
		}
		expectUnknown(ctx, young, resume)
	}, SpecTimeout(specTime))
})

// expectUnknown says that to an app there is no such session.
func expectUnknown(ctx SpecContext, app *harness.Peer, resume wire.Message) {
	GinkgoHelper()
	Expect(app.Send(resume)).To(Succeed())
	refusal, err := app.Next(ctx, wire.TypeError)
	Expect(err).NotTo(HaveOccurred())
	Expect(refusal.Code).To(Equal(wire.CodeSessionUnknown))
}

var _ = Describe("When the relay crashes", func() {
	It("no viewer notices, and the session comes back", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		s.lossy = true // the relay had no time to revoke
		viewer := s.onlooker(ctx, simapp.Options{})
		Expect(s.Relay.Kill()).To(Succeed())
		Expect(s.StartRelay(ctx)).To(Succeed())
		s.expectBack(ctx, viewer)
		viewer.expectNoGap(ctx, noGap)
		viewer.Close()
		s.expectSessions(ctx, 0)
	}, SpecTimeout(specTime))
})
