package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// python is Debian's, whose python3-aiortc is what fielded peers are built on.
const python = "/usr/bin/python3"

var _ = everywhere("A peer that knows only the original specification", Label("aiortc"), func(b harness.Backend) {
	BeforeEach(func() {
		if err := exec.Command(python, "-c", "import aiortc, websockets").Run(); err != nil {
			Fail("python3-aiortc and python3-websockets are missing: run make setup")
		}
	})

	It("watches our robot", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		seen := s.watchWithAiortc(ctx, "30")
		Expect(seen.Frames).To(Equal(30))
		Expect(seen.Width).To(Equal(1280))
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	DescribeTable("is watched by our app", func(ctx SpecContext, options ...string) {
		s := empty(ctx, b, harness.Options{})
		secret, err := harness.DeviceSecret(s.configFile)
		Expect(err).NotTo(HaveOccurred())
		stdout := gbytes.NewBuffer()
		args := append([]string{"aiortc/robot.py", s.RelayURL(), string(robotID), secret}, options...)
		robot := exec.CommandContext(ctx, python, args...)
		robot.Stdout, robot.Stderr = stdout, GinkgoWriter
		Expect(robot.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = robot.Process.Kill()
			_ = robot.Wait()
		})
		Expect(s.AwaitOnline(ctx, robotID, s.owner)).To(Succeed())

		viewing, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() int { return viewing.Report().Frames }).Should(BeNumerically(">=", 30))
		Expect(viewing.Report().Latency).To(BeNil(), "its pictures carry no stamp")

		second, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID})
		Expect(err).NotTo(HaveOccurred())
		Eventually(second.Done()).Should(BeClosed())
		Expect(second.Err()).To(MatchError(ContainSubstring("Busy: one viewer at a time")))
		viewing.Close()
		s.expectSessions(ctx, 0)
	},
		Entry("when it signs its name only", SpecTimeout(specTime)),
		Entry("when it signs the time as well and talks as robots in the field do", SpecTimeout(specTime), "--headers"),
	)
})

// aiortcSaw is what an app built on aiortc says at its end.
type aiortcSaw struct {
	Frames, Width, Height int
	Narrow                int     // the width that it got when it wanted less
	Kbps                  float64 // that came with it
}

// watchWithAiortc runs such an app until its end.
func (s *stage) watchWithAiortc(ctx context.Context, arguments ...string) (seen aiortcSaw) {
	GinkgoHelper()
	var stdout bytes.Buffer
	arguments = append([]string{"aiortc/app.py", s.RelayURL(), s.owner.Token, string(robotID)}, arguments...)
	app := exec.CommandContext(ctx, python, arguments...)
	app.Stdout, app.Stderr = &stdout, GinkgoWriter
	Expect(app.Run()).To(Succeed())
	Expect(json.Unmarshal(stdout.Bytes(), &seen)).To(Succeed())
	return seen
}

var _ = Describe("An app that knows no transport-wide feedback", Label("aiortc"), func() {
	It("gets the picture that its REMB leaves room for", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		seen := s.watchWithAiortc(ctx, "5", "--narrow", "300")
		Expect(seen.Width).To(Equal(1280))
		Expect(seen.Narrow).To(Equal(640))
		Expect(seen.Kbps).To(And(BeNumerically("<=", 330), BeNumerically(">=", 50)))
	}, SpecTimeout(specTime))
})

var _ = Describe("A secret", func() {
	It("is in no line that any program prints, whatever fails", func(ctx SpecContext) {
		log := gbytes.NewBuffer()
		GinkgoWriter.TeeTo(log)
		DeferCleanup(GinkgoWriter.ClearTeeWriters)
		s := ready(ctx, &binaries, harness.Options{LogLevel: slog.LevelDebug})
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		s.watch(ctx, simapp.Options{Device: robotID, RelayOnly: true}).Close()
		_, err := s.RawApp(ctx, harness.User{Token: s.owner.Token + "x"})
		Expect(err).To(HaveOccurred())
		app := s.app(ctx, s.owner)
		request(app, robotID)
		told, err := app.Next(ctx, wire.TypeCredentials)
		Expect(err).NotTo(HaveOccurred())
		Expect(app.Close()).To(Succeed())
		viewing.Close()

		secret, err := harness.DeviceSecret(s.configFile)
		Expect(err).NotTo(HaveOccurred())
		printed := string(log.Contents())
		Expect(strings.Count(printed, "\n")).To(BeNumerically(">", 20), "the programs do print")
		hiddens := append(s.Secrets(), secret, s.owner.Token, s.owner.Password, turn.Secret)
		for _, server := range told.ICEServers.Servers {
			if server.Credential != "" {
				hiddens = append(hiddens, server.Credential)
			}
		}
		for _, hidden := range hiddens {
			Expect(printed).NotTo(ContainSubstring(hidden))
		}
		for _, private := range []string{"v=0", "ice-ufrag", "ice-pwd", "a=fingerprint", " typ host", "Pwd"} {
			Expect(printed).NotTo(ContainSubstring(private), "nothing of any SDP")
		}
		for line := range strings.Lines(printed) {
			if !strings.Contains(line, "level=DEBUG") {
				Expect(line).NotTo(ContainSubstring(s.owner.Email))
			}
		}
	}, SpecTimeout(specTime))
})
