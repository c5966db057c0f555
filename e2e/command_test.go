package e2e

import (
	"fmt"
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
	It("reaches the robot of its owner, as it was sent but for the address", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		for _, address := range []wire.Message{{DeviceID: robotID}, {Target: robotID}, {}} {
			sent := wire.Message{
				Type: wire.TypeCommand, Command: "motor", DeviceID: address.DeviceID, Target: address.Target,
				Data: wire.Raw(`{"left":0.5,"right":-0.25}`), Timestamp: wire.Millis(time.Now()),
			}
			Expect(app.Send(sent)).To(Succeed())
			got, err := robot.Next(ctx, wire.TypeCommand)
			Expect(err).NotTo(HaveOccurred())
			sent.DeviceID, sent.Target = "", ""
			Expect(got).To(Equal(sent))
		}
		Expect(app.Barrier(ctx)).To(BeEmpty(), "nothing is said of a command that is passed on")
	}, SpecTimeout(specTime))

	It("is refused to a stranger as if there were no such robot", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		robot, stranger := s.puppet(ctx), s.app(ctx, s.user(ctx, "neighbour@example.com"))
		foreign := refused(ctx, stranger, wire.Message{DeviceID: robotID})
		nowhere := refused(ctx, stranger, wire.Message{DeviceID: "wimz_nobody"})
		Expect(foreign.Code).To(Equal(wire.CodeNotAuthorized))
		nowhere.DeviceID = robotID
		Expect(foreign).To(Equal(nowhere))

		command(s.app(ctx, s.owner), wire.Message{Command: "stop"})
		got, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Command).To(Equal("stop"), "the first that the robot hears")
	}, SpecTimeout(specTime))

	It("is refused from the moment at which its robot is unpaired", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		command(app, wire.Message{})
		_, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(simapp.UnpairDevice(ctx, s.RelayURL(), s.owner.Token, robotID)).To(Succeed())
		Expect(refused(ctx, app, wire.Message{DeviceID: robotID}).Code).To(Equal(wire.CodeNotAuthorized))
		Expect(robot.Heard()).To(BeEmpty())
	}, SpecTimeout(specTime))

	It("is not kept for a robot that is switched off", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app := s.app(ctx, s.owner)
		Expect(refused(ctx, app, wire.Message{DeviceID: robotID}).Code).To(Equal(wire.CodeDeviceOffline))

		robot := s.puppet(ctx)
		command(app, wire.Message{Command: "stop"})
		got, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Command).To(Equal("stop"), "the first that the robot hears")
	}, SpecTimeout(specTime))

	It("that is stale, or whose age cannot be known, does not reach the robot", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		for _, at := range []time.Time{time.Now().Add(-10 * time.Second), time.Now().Add(time.Minute), time.UnixMilli(0)} {
			refusal := refused(ctx, app, wire.Message{DeviceID: robotID, Timestamp: wire.Millis(at)})
			Expect(refusal.Code).To(Equal(wire.CodeStaleCommand))
		}
		command(app, wire.Message{Command: "stop", Timestamp: wire.Millis(time.Now().Add(time.Second))})
		got, err := robot.Next(ctx, wire.TypeCommand)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Command).To(Equal("stop"), "a clock may be ahead a little")
	}, SpecTimeout(specTime))

	It("need not wait for others, nor does signaling: a driver's four seconds pass at once", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		driver, viewer, robot := s.app(ctx, s.owner), s.app(ctx, s.owner), s.puppet(ctx)
		const commands = 200
		for i := range commands {
			command(driver, wire.Message{Command: fmt.Sprint("motor.", i)})
			if i == commands/2 {
				request(viewer, robotID)
			}
		}
		Expect(driver.Barrier(ctx)).To(BeEmpty(), "none is refused")
		var driven []string
		var asked []wire.Message
		Eventually(func() int {
			for _, m := range robot.Heard() {
				if m.Type == wire.TypeCommand {
					driven = append(driven, m.Command)
				} else {
					asked = append(asked, m)
				}
			}
			return len(driven) + len(asked)
		}).WithContext(ctx).Should(Equal(commands + 1))
		Expect(driven).To(HaveLen(commands))
		for i, name := range driven {
			Expect(name).To(Equal(fmt.Sprint("motor.", i)), "in order")
		}
		Expect(robot.Send(wire.Message{
			Type: wire.TypeOffer, SessionID: asked[0].SessionID, SDP: &wire.SessionDescription{Type: "offer", SDP: "v=0\r\n"},
		})).To(Succeed())
		_, err := viewer.Next(ctx, wire.TypeOffer)
		Expect(err).NotTo(HaveOccurred())
	}, SpecTimeout(specTime))

	It("is sent by simapp send, which says whether it was passed on", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		off := s.simapp("send", "set_mode", "--data", `{"mode":"idle"}`)
		Eventually(off).WithContext(ctx).Should(gexec.Exit(1))
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
	It("of a robot reaches both apps of its owner, and no stranger's", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		apps := []*harness.Peer{s.app(ctx, s.owner), s.app(ctx, s.owner)}
		stranger, robot := s.app(ctx, s.user(ctx, "neighbour@example.com")), s.puppet(ctx)
		for _, sent := range []wire.Message{
			{Event: "bark", Fields: wire.Raw(`"data":{"dogs":["Elsa"]},"confidence":0.90`)},
			{Type: "battery", Fields: wire.Raw(`"level":78`), Timestamp: wire.Raw(`1700000000.5`)},
		} {
			Expect(robot.Send(sent)).To(Succeed())
			for _, app := range apps {
				got, err := app.Next(ctx, sent.Type)
				Expect(err).NotTo(HaveOccurred())
				Expect(got.DeviceID).To(Equal(robotID))
				if sent.Timestamp == nil {
					at, err := time.Parse(`"`+time.RFC3339+`"`, string(got.Timestamp))
					Expect(err).NotTo(HaveOccurred())
					Expect(at).To(BeTemporally("~", time.Now(), time.Minute))
					got.Timestamp = nil
				}
				got.DeviceID = ""
				Expect(got).To(Equal(sent))
			}
		}
		Expect(stranger.Barrier(ctx)).To(BeEmpty())
		Expect(robot.Heard()).To(BeEmpty())
	}, SpecTimeout(specTime))

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

// command sends a command, by default motor.
func command(app *harness.Peer, m wire.Message) {
	GinkgoHelper()
	m.Type = wire.TypeCommand
	if m.Command == "" {
		m.Command = "motor"
	}
	Expect(app.Send(m)).To(Succeed())
}

// refused sends a command and returns its one answer.
func refused(ctx SpecContext, app *harness.Peer, m wire.Message) wire.Message {
	GinkgoHelper()
	command(app, m)
	answers, err := app.Barrier(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers).To(HaveLen(1))
	Expect(answers[0].Type).To(Equal(wire.TypeError))
	Expect(answers[0].Command).To(Equal("motor"))
	return answers[0]
}

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
