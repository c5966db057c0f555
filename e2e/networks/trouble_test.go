//go:build linux

package networks

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = Describe("An owner who watches", Label("networks"), func() {
	It("at home sees the first picture as soon without the TURN server as with it", func(ctx SpecContext) {
		w := atHome(ctx, harness.Options{NoTURN: true})
		usual := w.look(ctx)
		Expect(w.Stop()).To(Succeed())

		DeferCleanup(silence(ctx, coturn.Netns))
		w.start(ctx, harness.Options{})
		report := w.look(ctx)
		w.measure(report, fmt.Sprintf("%.0f ms without TURN", *usual.TTFF))
		Expect(report.Pair).To(HaveValue(direct("host")))
		Expect(*report.TTFF).To(BeNumerically("<", *usual.TTFF+1000), "ms to the first picture")
		w.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("notices nothing when the TURN server dies while the path is direct", func(ctx SpecContext) {
		w := afar(ctx, rules{}, rules{})
		v := w.watch()
		v.expectVideo(ctx)
		freezes, frames := v.report().Freezes, v.frames()
		DeferCleanup(silence(ctx, coturn.Netns))
		Eventually(v.frames).WithContext(ctx).WithTimeout(8*time.Second).
			Should(BeNumerically(">=", frames+3*enough), "6 s of video")
		report := v.leave(ctx)
		// A freeze of a quarter of a second says more about this machine.
		w.measure(report, fmt.Sprintf("%d freezes", report.Freezes-freezes))
		Expect(w.log).NotTo(gbytes.Say("state=disconnected"), "the robot's word on the path")
		Expect(report.Pair).To(HaveValue(direct("srflx", "prflx")))
	}, SpecTimeout(specTime))

	It("sees the picture again after 8 s without any network, in the same session", func(ctx SpecContext) {
		w := afar(ctx, rules{}, rules{})
		v := w.watch()
		v.expectVideo(ctx)
		id := v.report().SessionID

		restore := silence(ctx, w.away.router)
		begun := time.Now()
		dark := v.nextFrames(ctx)
		Eventually(time.After(blackout)).WithContext(ctx).WithTimeout(2 * blackout).Should(Receive())
		Expect(v.frames()).To(Equal(dark), "no picture comes in the dark")
		restore()
		lasted := time.Since(begun)
		v.again(ctx, dark)
		Expect(v.report().SessionID).To(Equal(id))
		w.expectSession(ctx, id)
		report := v.leave(ctx)
		again := (gap(report) - lasted).Round(time.Millisecond)
		w.measure(report, "again after "+again.String())
		Expect(again).To(BeNumerically("<", 3*time.Second))
	}, SpecTimeout(specTime))

	DescribeTable("in the same session, when somebody moves,",
		func(ctx SpecContext, moving func(*world) harness.Netns, cable string) {
			w := afar(ctx, rules{}, rules{})
			elsewhere := newSite(ctx, "elsewhere", "198.51.100.103", "172.16.5", rules{})
			v := w.watch()
			v.expectVideo(ctx)
			id := v.report().SessionID

			Expect(moving(w).IP(ctx, "link delete %s", cable)).To(Succeed())
			elsewhere.join(ctx, moving(w), "new0")
			v.again(ctx, v.nextFrames(ctx))
			Expect(v.report().SessionID).To(Equal(id))
			w.expectSession(ctx, id)
			report := v.leave(ctx)
			w.measure(report, "again after "+gap(report).String())
			Expect(gap(report)).To(BeNumerically("<", 5*time.Second))
			Expect(report.Pair).To(HaveValue(direct("srflx", "prflx")))
			w.expectNothingLeft(ctx)
		},
		Entry("goes on watching from the app's new network", SpecTimeout(specTime),
			func(w *world) harness.Netns { return w.app }, "wlan0"),
		Entry("goes on watching from the robot's new network", SpecTimeout(specTime),
			func(w *world) harness.Netns { return w.robot }, "eth0"),
	)
})

// blackout is shorter than ICE's patience, and longer than most tunnels.
const blackout = 8 * time.Second

// again waits until video flows that was not there before.
func (v *viewer) again(ctx SpecContext, before int) {
	GinkgoHelper()
	Eventually(v.frames).WithContext(ctx).Should(BeNumerically(">=", before+enough))
}

// gap is the longest time without a picture.
func gap(r simapp.Report) time.Duration {
	return time.Duration(r.LongestGap * float64(time.Millisecond)).Round(time.Millisecond)
}

// expectSession says that the relay and the robot have this session, and no other.
func (w *world) expectSession(ctx SpecContext, id wire.SessionID) {
	GinkgoHelper()
	stats, err := w.RelayStats(ctx, w.owner)
	Expect(err).NotTo(HaveOccurred())
	Expect(stats.Sessions).To(Equal(1), "sessions on the relay")
	status, err := w.robotStatus(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(status.Sessions).To(ConsistOf(HaveField("SessionID", id)), "sessions on the robot")
	Expect(status.PeerConnections).To(Equal(1), "peer connections of the robot")
}
