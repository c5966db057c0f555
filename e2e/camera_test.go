package e2e

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

// seeing brings up a relay and a robot whose camera is what the YAML says.
func seeing(ctx SpecContext, b harness.Backend, camera string) *stage {
	GinkgoHelper()
	s := empty(ctx, b, harness.Options{})
	config, err := os.OpenFile(s.configFile, os.O_APPEND|os.O_WRONLY, 0)
	Expect(err).NotTo(HaveOccurred())
	_, err = fmt.Fprintf(config, "camera: %s\n", camera)
	Expect(err).NotTo(HaveOccurred())
	Expect(config.Close()).To(Succeed())
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
	return s
}

// scratch is a directory whose path is short enough for sockets in it.
func scratch() string {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "camera")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	return dir
}

// pi is a machine with a Raspberry Pi's camera program on its PATH, which plays
// tricks.
type pi struct{ dir string }

func newPi(tricks ...string) (pi, *harness.Binaries) {
	GinkgoHelper()
	p := pi{scratch()}
	build := exec.Command("go", "build", "-o", filepath.Join(p.dir, "rpicam-vid"), "../robot/internal/camera/cmd/fakerpicam")
	build.Stdout, build.Stderr = GinkgoWriter, GinkgoWriter
	Expect(build.Run()).To(Succeed())
	Expect(os.WriteFile(filepath.Join(p.dir, "script"), []byte(strings.Join(tricks, "\n")), 0o600)).To(Succeed())
	b := binaries
	b.Env = []string{"PATH=" + p.dir + ":" + os.Getenv("PATH"), "RPICAM_FAKE=" + p.dir}
	return p, &b
}

// program returns the process number of the program that was started as the n-th,
// from 0.
func (p pi) program(n int) (pid int, err error) {
	text, err := os.ReadFile(filepath.Join(p.dir, fmt.Sprint("start.", n)))
	if err == nil {
		_, err = fmt.Sscan(string(text), &pid)
	}
	return pid, err
}

var _ = Describe("A robot with a Raspberry Pi's camera", func() {
	It("shows what it sees, also after its program was killed, and leaves none behind", func(ctx SpecContext) {
		p, b := newPi("ok")
		s := seeing(ctx, b, "{source: rpicam}")
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		Expect(viewing.WaitFrames(ctx, 20)).To(Succeed())
		Expect(*viewing.Report().StampErrors).To(BeZero())
		Expect(*viewing.Report().Repeated).To(BeZero())

		By("killing the program in the middle of the call")
		first, err := p.program(0)
		Expect(err).NotTo(HaveOccurred())
		Expect(syscall.Kill(first, syscall.SIGKILL)).To(Succeed())
		var second int
		Eventually(func() (err error) {
			second, err = p.program(1)
			return err
		}).Should(Succeed())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())

		viewing.Close()
		s.expectNothingLeft(ctx)
		for _, pid := range []int{first, second} {
			Eventually(func() error { return syscall.Kill(-pid, 0) }).Should(MatchError(syscall.ESRCH))
		}
	}, SpecTimeout(specTime))

	It("goes on when the program stalls and does not listen", func(ctx SpecContext) {
		_, b := newPi("deaf", "ok")
		s := seeing(ctx, b, "{source: rpicam}")
		s.watch(ctx, simapp.Options{Device: robotID})
	}, SpecTimeout(specTime))
})

var _ = everywhere("A robot that shows a clip", func(b harness.Backend) {
	It("shows it over and over", func(ctx SpecContext) {
		path := filepath.Join(scratch(), "clip.y4m")
		Expect(harness.WriteClip(path, 0, 10)).To(Succeed())
		s := seeing(ctx, b, fmt.Sprintf("{source: file, file: {path: %s}}", path))
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		Eventually(func() int { return *viewing.Report().Repeated }).Should(BeNumerically(">=", 2), "times it began anew")
		Expect(*viewing.Report().StampErrors).To(BeZero())
	}, SpecTimeout(specTime))
})

// redAt is where the demonstration's square is in a picture, -1 if there is none.
func redAt(p *image.YCbCr) int64 {
	y := p.Rect.Dy() * 3 / 8 / 2
	for x := range p.Rect.Dx() / 2 {
		if p.Cr[y*p.CStride+x] > 180 {
			return int64(2 * x)
		}
	}
	return -1
}

var _ = everywhere("A robot whose detector owns the camera", func(b harness.Backend) {
	It("shows what the detector sends, whichever of them is started anew", func(ctx SpecContext) {
		socket := filepath.Join(scratch(), "feed.sock")
		s := seeing(ctx, b, fmt.Sprintf("{source: feed, feed: {socket: %s}}", socket))
		words := gbytes.NewBuffer()
		detector := func() *exec.Cmd {
			GinkgoHelper()
			c := exec.CommandContext(ctx, python, "../robot/camera/feed/sender.py", "--demo", "--socket", socket)
			c.Stdout, c.Stderr = GinkgoWriter, words
			Expect(c.Start()).To(Succeed())
			DeferCleanup(func() {
				_ = c.Process.Kill()
				_ = c.Wait()
			})
			return c
		}
		// The square is never twice in a row at the same place.
		var moved, place atomic.Int64
		watch := func() *simapp.Viewing {
			GinkgoHelper()
			viewing, err := s.phone(ctx).Watch(ctx, simapp.Options{Device: robotID, OnPicture: func(p *image.YCbCr) {
				if at := redAt(p); at >= 0 && place.Swap(at) != at {
					moved.Add(1)
				}
			}})
			Expect(err).NotTo(HaveOccurred())
			return viewing
		}
		moves := func() {
			GinkgoHelper()
			begin := moved.Load()
			Eventually(moved.Load).Should(BeNumerically(">", begin+10))
		}
		first := detector()
		viewing := watch()
		moves()

		By("ending the detector")
		Expect(first.Process.Kill()).To(Succeed())
		_ = first.Wait()
		second := detector()
		moves()

		By("starting another one beside it")
		detector()
		Expect(second.Wait()).To(MatchError("exit status 1"))
		Expect(words).To(gbytes.Say("robot: a newer sender has connected"))
		moves()

		By("ending the robot")
		viewing.Close()
		Expect(s.Robots[robotID].Stop()).To(Succeed())
		Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
		watch()
		moves()
	}, SpecTimeout(specTime))
})
