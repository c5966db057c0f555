//go:build linux

package networks

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"wimz.dev/live/e2e/harness"
)

// way is two networks and the way that media has to take between them.
type way struct {
	home, away rules
	pair       types.GomegaMatcher // the selected candidate pair
	// Media packets that came to the app's site and the robot's, not by TURN;
	// what comes to the robot are RTCP reports only.
	toApp, toRobot types.GomegaMatcher
}

var _ = Describe("An owner sees the robot's picture", Label("networks"), func() {
	It("directly, in the robot's own network", func(ctx SpecContext) {
		w := atHome(ctx, harness.Options{})
		report := w.look(ctx)
		w.measure(report, "")
		Expect(report.Pair).To(HaveValue(direct("host")))
		Expect(w.home.leaving(ctx)).To(BeZero(), "media packets that left the network")
		w.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("directly, in the robot's own network that has IPv6 only", func(ctx SpecContext) {
		w := atHomeIPv6(ctx)
		report := w.look(ctx)
		w.measure(report, "")
		Expect(report.Pair).To(HaveValue(direct("host")))
		w.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("through a mobile network with a round trip of 100 ms that loses 2 %", func(ctx SpecContext) {
		w := newWorld(ctx, rules{}, rules{})
		w.away.joinByRadio(ctx, w.app, "wwan0", 50*time.Millisecond, 0.02)
		w.start(ctx, harness.Options{})
		report := w.look(ctx)
		w.measure(report, fmt.Sprintf("%d pictures came, %d did not", report.Frames, *report.Lost))
		w.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	DescribeTable("from another network,", func(ctx SpecContext, path way) {
		w := afar(ctx, path.home, path.away)
		report := w.look(ctx)
		w.measure(report, "")
		Expect(report.Pair).To(HaveValue(path.pair))
		Expect(w.home.leaving(ctx)).To(BeNumerically(">=", enough), "media packets that left the robot's network")
		Expect(w.away.direct(ctx)).To(path.toApp, "media packets to the app, not by TURN")
		Expect(w.home.direct(ctx)).To(path.toRobot, "media packets to the robot, not by TURN")
		w.expectNothingLeft(ctx)
	},
		Entry("directly, through an ordinary router on each side", SpecTimeout(specTime), way{
			pair: direct("srflx", "prflx"), toApp: BeNumerically(">=", enough), toRobot: BeNumerically(">", 0),
		}),
		Entry("by TURN, where there is no route between the two", SpecTimeout(specTime), way{
			home: rules{firewall: cloudOnly}, away: rules{firewall: cloudOnly},
			pair: relayed("udp"), toApp: BeZero(), toRobot: BeZero(),
		}),
		Entry("by TURN, where both routers map each destination to another port", SpecTimeout(specTime), way{
			home: rules{symmetric: true}, away: rules{symmetric: true},
			pair: relayed("udp"), toApp: BeZero(), toRobot: BeZero(),
		}),
		Entry("by TURN over TCP, where the app's firewall drops UDP", SpecTimeout(specTime), way{
			away: rules{firewall: noUDP},
			pair: relayed("tcp"), toApp: BeZero(), toRobot: BeZero(),
		}),
		Entry("by TURN over TLS, where the app's firewall passes port 443 only", SpecTimeout(specTime), way{
			away: rules{firewall: httpsOnly},
			pair: relayed("tls"), toApp: BeZero(), toRobot: BeZero(),
		}),
	)
})

// direct matches a pair without TURN of which one end has one of the types. A
// reflexive candidate may win against a host's in one network: it is a socket of
// the same host.
func direct(oneOf ...string) types.GomegaMatcher {
	return And(
		HaveField("Local", Not(Equal("relay"))), HaveField("Remote", Not(Equal("relay"))),
		HaveField("Protocol", "udp"),
		Or(HaveField("Local", BeElementOf(oneOf)), HaveField("Remote", BeElementOf(oneOf))),
	)
}

// relayed matches a pair with TURN, which the app reaches over the protocol.
func relayed(protocol string) types.GomegaMatcher {
	return And(
		Or(HaveField("Local", "relay"), HaveField("Remote", "relay")),
		HaveField("Protocol", protocol),
	)
}
