//go:build linux

package networks

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

// robotID is the robot of every spec.
const robotID wire.DeviceID = "wimz_abc123"

// world is a relay on the internet, a robot at home and a phone somewhere.
type world struct {
	*harness.System
	home, away *site
	robot, app harness.Netns // machines
	owner      harness.User
	log        *gbytes.Buffer // of all programs but the app
}

// afar is the world of an owner who is not at home.
func afar(ctx SpecContext, home, away rules) *world {
	GinkgoHelper()
	w := newWorld(ctx, home, away)
	w.away.join(ctx, w.app, "wlan0")
	w.start(ctx, harness.Options{})
	return w
}

// atHome is the world of an owner at home.
func atHome(ctx SpecContext, o harness.Options) *world {
	GinkgoHelper()
	w := newWorld(ctx, rules{}, rules{})
	w.home.join(ctx, w.app, "wlan0")
	w.start(ctx, o)
	return w
}

// atHomeIPv6 is the world of an owner at home with the relay, where nobody has
// heard of IPv4.
func atHomeIPv6(ctx SpecContext) *world {
	GinkgoHelper()
	const relay = "fd00:7::10" // RFC 4193
	w := &world{robot: machine(ctx, "robot"), app: machine(ctx, "app")}
	lan := machine(ctx, "lan")
	Expect(lan.IP(ctx, "link add switch up type bridge")).To(Succeed())
	plug(ctx, here, "lan0", relay+"/64 nodad", lan, "relay")
	DeferCleanup(func(ctx SpecContext) error { return here.IP(ctx, "link delete lan0") })
	plug(ctx, w.robot, "eth0", "fd00:7::2/64 nodad", lan, "robot")
	plug(ctx, w.app, "wlan0", "fd00:7::3/64 nodad", lan, "app")
	w.start(ctx, harness.Options{Listen: "[" + relay + "]:443"})
	return w
}

// newWorld makes two sites, the robot's machine in one of them, and a phone
// without a network.
func newWorld(ctx SpecContext, home, away rules) *world {
	GinkgoHelper()
	w := &world{
		home:  newSite(ctx, "home", "198.51.100.101", "192.168.7", home),
		away:  newSite(ctx, "away", awayIP, "10.20.30", away),
		robot: machine(ctx, "robot"), app: machine(ctx, "app"),
	}
	w.home.join(ctx, w.robot, "eth0")
	return w
}

// start brings up the relay, its TURN API and the robot.
func (w *world) start(ctx SpecContext, o harness.Options) {
	GinkgoHelper()
	w.log = gbytes.NewBuffer()
	o.Listen = cmp.Or(o.Listen, relayAddress)
	o.TURN, o.LogLevel = coturn.TURN, slog.LevelDebug
	o.Log = io.MultiWriter(GinkgoWriter, w.log)
	var err error
	w.System, err = harness.Start(ctx, backend{in(here), in(w.robot)}, programs, o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Stop)
	w.owner, err = w.AddUser(ctx, "owner@example.com")
	Expect(err).NotTo(HaveOccurred())
	config, err := w.AddDevice(ctx, robotID, w.owner)
	Expect(err).NotTo(HaveOccurred())
	Expect(w.StartRobot(ctx, robotID, config, w.owner)).To(Succeed())
}

// in returns the programs as they run on a machine.
func in(m harness.Netns) harness.Binaries {
	b := programs
	b.Prefix = m.Prefix()
	return b
}

// backend starts the robot on another machine than everything else.
type backend struct {
	harness.Binaries
	robot harness.Binaries
}

// Robot implements [harness.Backend].
func (b backend) Robot(ctx context.Context, s harness.RobotSettings, log io.Writer) (*harness.Program, error) {
	return b.robot.Robot(ctx, s, log)
}

// robotStatus asks the robot on its own loopback.
func (w *world) robotStatus(ctx context.Context) (status harness.RobotStatus, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Robots[robotID].URL("/status"), nil)
	if err != nil {
		return status, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: w.robot.DialContext}}
	response, err := client.Do(request)
	if err != nil {
		return status, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	return status, json.NewDecoder(response.Body).Decode(&status)
}

// expectNothingLeft says that nobody holds anything of any session.
func (w *world) expectNothingLeft(ctx SpecContext) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		stats, err := w.RelayStats(ctx, w.owner)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(stats.Sessions).To(BeZero(), "sessions on the relay")
		status, err := w.robotStatus(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(status.PeerConnections).To(BeZero(), "peer connections on the robot")
		live, err := w.LiveCredentials(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(live).To(BeZero(), "TURN credentials that still work")
	}).Should(Succeed())
}
