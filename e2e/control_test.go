package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// frameEvery is how often an app sends a motor frame.
const frameEvery = 50 * time.Millisecond

var _ = everywhere("A driver", func(b harness.Backend) {
	It("moves the robot, until nothing is heard of them", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		driver := s.watch(ctx, simapp.Options{Device: robotID})
		letGo := drive(driver, 0.5, -0.25)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 -0.25\n`))
		letGo()
		silent := time.Now()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: no motor frame for 500 ms\n`))
		Expect(time.Since(silent)).To(BeNumerically("<", 5*time.Second), "half a second, on a quiet machine")

		letGo = drive(driver, 1, 1)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+1.00 \+1.00\n`))
		letGo()
		Expect(driver.Stop(false)).To(Succeed())
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
	}, SpecTimeout(specTime))

	It("who leaves, leaves a robot that stands", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		driver := s.watch(ctx, simapp.Options{Device: robotID})
		letGo := drive(driver, 0.5, 0.5)
		defer letGo()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		driver.Close()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: (the driver|no motor frame)`))
	}, SpecTimeout(specTime))

	It("drives on when the relay is gone", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		driver := s.watch(ctx, simapp.Options{Device: robotID})
		letGo := drive(driver, 0.5, 0.5)
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		s.lossy = true
		Expect(s.Relay.Stop()).To(Succeed())
		letGo()
		letGo = drive(driver, -0.75, 0.75)
		defer letGo()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.75 \+0.75\n`))
		Expect(driver.WaitFrames(ctx, 5)).To(Succeed())
	}, SpecTimeout(specTime))

	It("loses the wheel to another who begins: the robot stops first", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		told := make(chan string, 256)
		first := s.watch(ctx, simapp.Options{Device: robotID, OnControl: func(data []byte) { told <- string(data) }})
		second := s.watch(ctx, simapp.Options{Device: robotID})
		letGo := drive(first, 0.5, 0.5)
		defer letGo()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		letGoToo := drive(second, -0.5, -0.5)
		defer letGoToo()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(
			`motors \+0.00 \+0.00 stop: another viewer takes over\nmotors -0.50 -0.50\n`))
		Eventually(told).WithContext(ctx).Should(Receive(ContainSubstring(`"code":"TAKEN_OVER"`)))

		Expect(first.Stop(true)).To(Succeed(), "anybody may")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`(motors -0.50 -0.50\n)*motors \+0.00 \+0.00 emergency_stop: by viewer\n`))
	}, SpecTimeout(specTime))

	It("leaves nothing running when the robot's program ends", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		driver := s.watch(ctx, simapp.Options{Device: robotID})
		letGo := drive(driver, 0.5, 0.5)
		defer letGo()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		Expect(s.Robots[robotID].Stop()).To(Succeed())
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(
			`motors \+0.00 \+0.00 stop: the robot's program ends\nmotors \+0.00 \+0.00 connection lost\n`))
	}, SpecTimeout(specTime))
})

var _ = everywhere("The robot's own software", func(b harness.Backend) {
	It("takes an app's commands, and answers them", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		app := s.app(ctx, s.owner)
		Expect(app.Send(wire.Message{Type: wire.TypeCommand, Command: "set_mode", Data: wire.Raw(`{"mode":"idle"}`)})).To(Succeed())
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`set_mode {'mode': 'idle'}`))
		ack, err := app.Next(ctx, "command_ack")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(ack.Fields)).To(Equal(`"command":"set_mode","success":true`))
		Expect(ack.DeviceID).To(Equal(robotID))

		Expect(app.Send(wire.Message{Type: wire.TypeCommand, Command: "motor", Data: wire.Raw(`{"left":1,"right":-1}`)})).To(Succeed())
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+1.00 -1.00\nmotors \+0.00 \+0.00 stop: no motor frame`))
	}, SpecTimeout(specTime))

	It("that does not run is no secret to the app", func(ctx SpecContext) {
		s, motors := drivable(ctx, b)
		app := s.app(ctx, s.owner)
		motors.Kill()
		Eventually(motors.Exited).WithContext(ctx).Should(BeClosed())
		Eventually(func(g Gomega) {
			status, err := s.RobotStatus(ctx, robotID)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(status.Control.Connected).To(BeFalse())
		}).WithContext(ctx).Should(Succeed())
		Expect(app.Send(wire.Message{Type: wire.TypeCommand, Command: "dispense_treat"})).To(Succeed())
		ack, err := app.Next(ctx, "command_ack")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(ack.Fields)).To(And(
			ContainSubstring(`"command":"dispense_treat"`), ContainSubstring(`"success":false`),
			ContainSubstring(`"error":"The robot's software is not running","code":"NO_SOFTWARE"`)))
	}, SpecTimeout(specTime))
})

// drivable brings up a robot whose software is the example that prints, connected.
func drivable(ctx SpecContext, b harness.Backend) (*stage, *gexec.Session) {
	GinkgoHelper()
	s := empty(ctx, b, harness.Options{})
	socket := filepath.Join(GinkgoT().TempDir(), "control.sock")
	settings, err := os.OpenFile(s.configFile, os.O_APPEND|os.O_WRONLY, 0)
	Expect(err).NotTo(HaveOccurred())
	_, err = settings.WriteString("control: {socket: " + socket + "}\n")
	Expect(err).NotTo(HaveOccurred())
	Expect(settings.Close()).To(Succeed())
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())

	software, err := gexec.Start(exec.Command(python, "../robot/control/example.py", socket), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		software.Kill()
		Eventually(software.Exited).Should(BeClosed())
	})
	Eventually(software).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: the robot's software has connected\n`))
	return s, software
}

// drive sends motor frames as an app does, until it is told to let go.
func drive(v *simapp.Viewing, left, right float64) (letGo func()) {
	released := make(chan struct{})
	var hands sync.WaitGroup
	hands.Go(func() {
		frames := time.NewTicker(frameEvery)
		defer frames.Stop()
		for {
			_ = v.Drive(left, right) // the viewing may end
			select {
			case <-frames.C:
			case <-released:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(released); hands.Wait() })
}

var _ = Describe("A driver whose phone dies", func() {
	It("leaves a robot that stands, and soon nothing else", func(ctx SpecContext) {
		s, motors := drivable(ctx, &binaries)
		app := exec.CommandContext(ctx, python, "aiortc/app.py", s.RelayURL(), s.owner.Token, string(robotID), "100000", "--drive")
		app.Stdout, app.Stderr = GinkgoWriter, GinkgoWriter
		Expect(app.Start()).To(Succeed())
		Eventually(motors).WithContext(ctx).WithTimeout(specTime).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		Expect(app.Process.Kill()).To(Succeed())
		silent := time.Now()
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: no motor frame for 500 ms\n`))
		Expect(time.Since(silent)).To(BeNumerically("<", 5*time.Second), "half a second, on a quiet machine")
		Expect(app.Wait()).To(MatchError("signal: killed"))
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))
})
