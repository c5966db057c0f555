package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A command", func(b harness.Backend) {
	It("is refused from the moment at which its robot is unpaired", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		motor := wire.Message{Type: wire.TypeCommand, Command: "motor", DeviceID: robotID}
		Expect(app.Send(motor)).To(Succeed())
		_, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(simapp.UnpairDevice(ctx, s.RelayURL(), s.owner.Token, robotID)).To(Succeed())
		Expect(app.Send(motor)).To(Succeed())
		Expect(app.Barrier(ctx)).To(ConsistOf(And(HaveField("Type", wire.TypeError), HaveField("Code", wire.CodeNotAuthorized))))
		Expect(robot.Heard()).To(BeEmpty())
	}, SpecTimeout(specTime))

	It("is sent by simapp send, which says whether it was passed on", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		off := s.simapp("send", "set_mode", "--data", `{"mode":"idle"}`)
		Eventually(off).WithContext(ctx).Should(gexec.Exit(4), "by kind, see simapp --help")
		Expect(off.Err).To(gbytes.Say(`Device offline \(DEVICE_OFFLINE\): switch the robot on`))

		robot := s.puppet(ctx)
		on := s.simapp("send", "set_mode", "--data", `{"mode":"idle"}`)
		Eventually(on).WithContext(ctx).Should(gexec.Exit(0))
		Expect(on.Out).To(gbytes.Say("set_mode was passed on to " + string(robotID)))
		got, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Command).To(Equal("set_mode"))
		Expect(string(got.Data)).To(Equal(`{"mode":"idle"}`))
		Expect(got.Age(time.Now())).To(BeNumerically("~", 0, time.Minute))

		bad := s.simapp("send", "set_mode", "--data", `idle`)
		Eventually(bad).WithContext(ctx).Should(gexec.Exit(1))
		Expect(bad.Err).To(gbytes.Say("data is not JSON"))
	}, SpecTimeout(specTime))
})

var _ = everywhere("An event", func(b harness.Backend) {
	It("is shown by simapp events, until Ctrl-C", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		words, raw := s.simapp("events"), s.simapp("events", "--json", "--device", string(robotID))
		Eventually(words).WithContext(ctx).Should(gbytes.Say(`\d\d:\d\d:\d\d  wimz_abc123  offline`))
		Eventually(raw).WithContext(ctx).Should(gbytes.Say(`{"type":"robot_status","device_id":"wimz_abc123","online":false}\n`))
		robot := s.puppet(ctx)
		Eventually(words).WithContext(ctx).Should(gbytes.Say(`wimz_abc123  online\n`))
		Expect(robot.Send(wire.Message{Type: "battery", Fields: wire.Raw(`"level":78,"note":"a` + "\u009b" + `b"`)})).To(Succeed())
		Eventually(words).WithContext(ctx).Should(gbytes.Say(`wimz_abc123  battery  {"level":78,"note":"a` + "\uFFFD" + `b"}\n`))
		Eventually(raw).WithContext(ctx).Should(gbytes.Say(`{"type":"battery","device_id":"wimz_abc123","timestamp":"[-0-9T:.]+Z","level":78,`))
		for _, program := range []*gexec.Session{words.Interrupt(), raw.Interrupt()} {
			Eventually(program).WithContext(ctx).Should(gexec.Exit(0))
		}
	}, SpecTimeout(specTime))
})

// simapp runs the program, signed in as the owner, to the end of the spec at
// the latest.
func (s *stage) simapp(args ...string) *gexec.Session {
	GinkgoHelper()
	line := binaries.Command("simapp", append(args, "--relay", s.RelayURL())...)
	line.Env = append(line.Env, "SIMAPP_TOKEN="+s.owner.Token)
	program, err := gexec.Start(line, GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		program.Kill() // it has ended, unless the spec failed
		Eventually(program.Exited).Should(BeClosed())
	})
	return program
}
