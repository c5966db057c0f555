package e2e

import (
	"bufio"
	"encoding/json"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/creack/pty"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	"golang.org/x/term"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp"
)

var _ = Describe("An owner with a terminal", func() {
	It("logs in, pairs a robot, watches it, keeps what they see, and logs out", func(ctx SpecContext) {
		const found wire.DeviceID = "wimz_found"
		s := empty(ctx, &binaries, harness.Options{})
		configFile, err := s.AddDevice(ctx, found, harness.User{})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRobot(ctx, found, configFile, harness.User{})).To(Succeed())
		finder, home := s.user(ctx, "finder@example.com"), GinkgoT().TempDir()
		simapp := func(status int, args ...string) (said string) {
			GinkgoHelper()
			program, failed := gexec.Start(atHome(home, args...), GinkgoWriter, GinkgoWriter)
			Expect(failed).NotTo(HaveOccurred())
			Eventually(program).WithContext(ctx).Should(gexec.Exit(status))
			return string(program.Out.Contents()) + string(program.Err.Contents())
		}

		Expect(simapp(3, "devices", "--relay", s.RelayURL())).To(ContainSubstring("simapp login"))
		login := onTerminal(atHome(home, "login", "--relay", s.RelayURL()))
		Eventually(login.shown).WithContext(ctx).Should(gbytes.Say("E-mail address: "))
		login.press(finder.Email + "\r")
		Eventually(login.shown).WithContext(ctx).Should(gbytes.Say("Password of " + finder.Email + ": "))
		login.press(finder.Password + "\r")
		Eventually(login.shown).WithContext(ctx).Should(gbytes.Say("logged in at " + s.RelayURL()))
		login.ends(ctx, 0)
		Expect(string(login.shown.Contents())).NotTo(ContainSubstring(finder.Password))

		Expect(simapp(0, "devices")).To(ContainSubstring("no robot yet"))
		code, err := s.PairingCode(ctx, configFile)
		Expect(err).NotTo(HaveOccurred())
		Expect(simapp(0, "pair", strings.ToLower(code))).To(Equal("paired with wimz_found\n"))
		Expect(simapp(0, "devices")).To(Equal("ROBOT       STATE\nwimz_found  online\n"))

		Expect(simapp(2, "watch", "--record", "out.mp4")).To(ContainSubstring("use .mkv, .ivf or .h264"))
		for _, name := range []string{"h264.mkv", "vp8.ivf", "raw.h264"} {
			file := filepath.Join(home, name)
			watching, err := gexec.Start(atHome(home, "watch", "--json", "--record", file), GinkgoWriter, GinkgoWriter)
			Expect(err).NotTo(HaveOccurred())
			Eventually(watching).WithContext(ctx).Should(gbytes.Say(`"state":"live".*"frames":[1-9][0-9]`))
			Eventually(watching.Interrupt()).WithContext(ctx).Should(gexec.Exit(0))
			expectRecorded(file, watching.Out.Contents())
			Expect(watching.Err).To(gbytes.Say(`recorded .*, 1280x720\n`))
		}

		Expect(simapp(0, "logout")).To(ContainSubstring("logged out"))
		Expect(simapp(3, "devices", "--relay", s.RelayURL())).To(ContainSubstring("simapp login"))
	}, SpecTimeout(specTime))

	It("watches three times at once: the dashboard says in words that the third is refused", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		watching := onTerminal(s.signedIn("watch", "--viewers", "3"))
		before := watching.state()
		for number, words := range []string{"live", "live", "refused: the robot has as many viewers as it allows"} {
			Eventually(watching.screen).WithContext(ctx).Should(ContainElement(HavePrefix("  " + strconv.Itoa(number+1) + "  " + words)))
		}
		Eventually(watching.screen).WithContext(ctx).Should(ContainElement(MatchRegexp(`^  1  live +[▁-█]+ fps 1\d  \d+ kbit/s  \d+ ms`)))
		Expect(pty.Setsize(watching.File, &pty.Winsize{Rows: 4, Cols: 20})).To(Succeed())
		Eventually(watching.screen).WithContext(ctx).Should(And(HaveLen(3), HaveEach(WithTransform(
			func(line string) int { return len([]rune(line)) }, BeNumerically("<=", 20)))), "it is drawn to fit")

		watching.press("\x03")
		watching.ends(ctx, 6)
		Expect(string(watching.shown.Contents())).To(And(
			HaveSuffix("viewer 3: no picture came: All 2 viewer places are taken (VIEWER_LIMIT): "+
				"the robot has as many viewers as it allows; close another one\r\n"),
			ContainSubstring("\x1b[?25h\x1b[?1049lviewer 1: wimz_abc123: ")), "the cursor is back, and the screen")
		Expect(watching.state()).To(Equal(before))
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("ends in order when the terminal is closed: the recording is whole, and no place at the robot is kept", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{Grace: specTime}) // nothing is freed by itself
		file := filepath.Join(GinkgoT().TempDir(), "walk.mkv")
		watching := onTerminal(s.signedIn("watch", "--record", file))
		Eventually(watching.screen).WithContext(ctx).Should(ContainElement(MatchRegexp(`^  recording .*: [1-9]\d pictures`)))
		for range 2 { // one is the kernel's, one the shell's
			Expect(watching.program.Process.Signal(syscall.SIGHUP)).To(Succeed())
		}
		watching.ends(ctx, 0)
		length, err := exec.Command("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "format=duration", file).Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(strconv.ParseFloat(strings.TrimSpace(string(length)), 64)).To(BeNumerically(">", 0.5))
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("ends in order when nobody reads what it prints", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{Grace: specTime})
		watching := s.signedIn("watch", "--json")
		errors := gbytes.NewBuffer()
		watching.Stderr = errors
		figures, err := watching.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(watching.Start()).To(Succeed())
		DeferCleanup(func() { _ = watching.Process.Kill() })
		lines := bufio.NewScanner(figures)
		for lines.Scan() && !strings.Contains(lines.Text(), `"state":"live"`) {
		}
		Expect(figures.Close()).To(Succeed())
		Expect(watching.Wait()).To(MatchError("exit status 1"))
		Expect(errors).To(gbytes.Say("broken pipe\n"))
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))

	It("prints lines on a terminal that cannot be drawn on", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		dumb := s.signedIn("watch")
		dumb.Env = append(dumb.Env, "TERM=dumb")
		watching := onTerminal(dumb)
		Eventually(watching.shown).WithContext(ctx).Should(gbytes.Say(`00:\d\d  live  \d+ pictures .*\r\n`))
		watching.press("\x03")
		watching.ends(ctx, 0)
		Expect(string(watching.shown.Contents())).NotTo(ContainSubstring("\x1b"))
		driving := s.signedIn("drive")
		driving.Env = append(driving.Env, "TERM=dumb")
		onTerminal(driving).ends(ctx, 1)
	}, SpecTimeout(specTime))

	It("drives with keys, and leaves a robot that stands and a terminal as it was", func(ctx SpecContext) {
		s, motors := drivable(ctx, &binaries)
		driving := onTerminal(s.signedIn("drive"))
		before := driving.state()
		Eventually(driving.screen).WithContext(ctx).Should(ContainElement(HavePrefix("  wimz_abc123  00:")))
		Eventually(driving.screen).WithContext(ctx).Should(ContainElement(ContainSubstring("press t to take the wheel")))
		Eventually(driving.screen).WithContext(ctx).Should(ContainElement(MatchRegexp("wimz_abc123 .* live$")))
		Expect(pty.Setsize(driving.File, &pty.Winsize{Rows: 4, Cols: 80})).To(Succeed())
		Eventually(driving.screen).WithContext(ctx).Should(And(HaveLen(3), ContainElement(ContainSubstring("press t to take the wheel"))),
			"on a low terminal the wheel is what is seen")
		driving.press("w")
		driving.press("t")
		Eventually(driving.screen).WithContext(ctx).Should(ContainElement(ContainSubstring("yours; the robot stands")))
		driving.press("\x1b[D")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors -0.50 \+0.50\n`))
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00\n`), "the key is let go")
		Expect(string(motors.Out.Contents())).NotTo(ContainSubstring("motors +0.50"), "without the wheel")
		driving.press("w")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.50 \+0.50\n`))
		driving.press(" ")
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`motors \+0.00 \+0.00 stop: by viewer\n`))
		driving.press("q")
		driving.ends(ctx, 0)
		Expect(string(driving.shown.Contents())).To(HaveSuffix("\x1b[?25h\x1b[?1049l"))
		Expect(driving.state()).To(Equal(before))

		script := s.signedIn("drive")
		script.Stdin = strings.NewReader("motor 0.25 -0.25\nmotor 1 1 100ms\nfly\n")
		lines, err := gexec.Start(script, GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		Eventually(motors).WithContext(ctx).Should(gbytes.Say(`(motors \+0.25 -0.25\n)+(motors \+1.00 \+1.00\n)+motors \+0.00 \+0.00 stop`))
		Eventually(lines).WithContext(ctx).Should(gexec.Exit(1))
		Expect(lines.Err).To(gbytes.Say(`line 3: "fly" makes no sense`))
	}, SpecTimeout(specTime))
})

// expectRecorded says that a file has all the pictures of a report, and each at the
// time at which it was taken.
func expectRecorded(file string, reports []byte) {
	GinkgoHelper()
	lines := strings.Split(strings.TrimSpace(string(reports)), "\n")
	var report simapp.Report
	Expect(json.Unmarshal([]byte(lines[len(lines)-1]), &report)).To(Succeed())
	raw, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-").Output()
	Expect(err).NotTo(HaveOccurred())
	times, err := exec.Command("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "packet=pts_time", file).Output()
	Expect(err).NotTo(HaveOccurred())
	shownAt := strings.Fields(strings.ReplaceAll(string(times), ",", ""))
	Expect(shownAt).To(HaveLen(report.Frames))

	size := image.Pt(1280, 720)
	Expect(raw).To(HaveLen(report.Frames * size.X * size.Y * 3 / 2))
	var first testpattern.Stamp
	for i, at := range shownAt {
		picture := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		for _, plane := range [][]byte{picture.Y, picture.Cb, picture.Cr} {
			raw = raw[copy(plane, raw):]
		}
		stamp, err := testpattern.Read(picture)
		Expect(err).NotTo(HaveOccurred())
		if i == 0 {
			first = stamp
		}
		Expect(stamp.Number).To(BeNumerically(">=", first.Number+uint32(i)))
		if filepath.Ext(file) == ".h264" {
			continue // has no times
		}
		seconds, err := strconv.ParseFloat(at, 64)
		Expect(err).NotTo(HaveOccurred())
		Expect(seconds).To(BeNumerically("~", stamp.Captured.Sub(first.Captured).Seconds(), 0.01), "picture %d", i)
	}
}

// atHome is simapp as somebody runs it who has logged in, or may.
func atHome(home string, args ...string) *exec.Cmd {
	line := binaries.Command("simapp", args...)
	line.Env = append(line.Env, "XDG_CONFIG_HOME="+home)
	return line
}

// signedIn is simapp as the owner runs it.
func (s *stage) signedIn(args ...string) *exec.Cmd {
	line := binaries.Command("simapp", append(args, "--relay", s.RelayURL())...)
	line.Env = append(line.Env, "SIMAPP_TOKEN="+s.owner.Token)
	return line
}

// terminal is one with a program on it.
type terminal struct {
	*os.File // its other side: what is written is pressed

	shown   *gbytes.Buffer
	program *exec.Cmd
	exited  chan struct{}
}

// onTerminal starts a program on a terminal of 100 columns and 30 lines.
func onTerminal(program *exec.Cmd) *terminal {
	GinkgoHelper()
	t := &terminal{shown: gbytes.NewBuffer(), program: program, exited: make(chan struct{})}
	var err error
	size := &pty.Winsize{Rows: 30, Cols: 100}
	t.File, err = pty.StartWithAttrs(program, size, &syscall.SysProcAttr{Setsid: true, Setctty: true})
	Expect(err).NotTo(HaveOccurred())
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(t.shown, GinkgoWriter), t.File) // to the program's end
	}()
	go func() {
		defer close(t.exited)
		_ = program.Wait()
		<-read
	}()
	DeferCleanup(func() {
		_ = program.Process.Kill() // it has ended, unless the spec failed
		Eventually(t.exited).Should(BeClosed())
		_ = t.Close()
	})
	return t
}

func (t *terminal) press(keys string) {
	GinkgoHelper()
	_, err := t.WriteString(keys)
	Expect(err).NotTo(HaveOccurred())
}

// state is what the terminal does with keys and lines.
func (t *terminal) state() *term.State {
	GinkgoHelper()
	state, err := term.GetState(int(t.Fd()))
	Expect(err).NotTo(HaveOccurred())
	return state
}

func (t *terminal) ends(ctx SpecContext, status int) {
	GinkgoHelper()
	Eventually(t.exited).WithContext(ctx).Should(BeClosed())
	Expect(t.program.ProcessState.ExitCode()).To(Equal(status))
}

// screen returns the lines of the newest whole picture on it, without styles.
func (t *terminal) screen() []string {
	updates := strings.Split(string(t.shown.Contents()), "\x1b[?2026h\x1b[H")
	for i := len(updates) - 1; i > 0; i-- {
		if lines, _, whole := strings.Cut(updates[i], "\x1b[J\x1b[?2026l"); whole {
			lines = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[2m", "", "\x1b[K", "", "\r", "").Replace(lines)
			return strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
		}
	}
	return nil
}
