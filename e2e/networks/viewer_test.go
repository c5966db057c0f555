//go:build linux

package networks

import (
	"encoding/json"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/simapp"
)

// enough is how many stamped pictures show that video flows.
const enough = 30

// viewer is a running simapp watch. It reports once a second.
type viewer struct {
	command *exec.Cmd
	ended   chan struct{}

	mu      sync.Mutex
	newest  simapp.Report
	reports int
}

// watch lets the owner open the app, and ends it with the spec at the latest.
func (w *world) watch() *viewer {
	GinkgoHelper()
	v := &viewer{ended: make(chan struct{})}
	v.command = in(w.app).Command("simapp", "watch", "--verbose", "--json",
		"--relay", w.RelayURL(), "--device", string(robotID))
	v.command.Env = append(v.command.Env, "SIMAPP_TOKEN="+w.owner.Token)
	v.command.Stderr = GinkgoWriter
	stdout, err := v.command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(v.command.Start()).To(Succeed())
	go v.read(stdout)
	DeferCleanup(func() {
		_ = v.command.Process.Kill() // it has ended, unless the spec failed
		<-v.ended
	})
	return v
}

// read keeps the newest report until the program has ended.
func (v *viewer) read(reports io.Reader) {
	defer close(v.ended)
	decoder := json.NewDecoder(reports)
	for {
		var r simapp.Report
		if decoder.Decode(&r) != nil {
			break
		}
		v.mu.Lock()
		v.newest = r
		v.reports++
		v.mu.Unlock()
	}
	_ = v.command.Wait() // whether it saw anything is in the report
}

func (v *viewer) report() simapp.Report {
	r, _ := v.state()
	return r
}

// state returns the newest report and how many there were.
func (v *viewer) state() (newest simapp.Report, reports int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, v.reports
}

// frames counts the pictures with a stamp.
func (v *viewer) frames() int { return stamped(v.report()) }

// nextFrames counts them in the next report, which has all that came before now.
func (v *viewer) nextFrames(ctx SpecContext) int {
	GinkgoHelper()
	_, now := v.state()
	Eventually(func() int { _, n := v.state(); return n }).WithContext(ctx).Should(BeNumerically(">", now))
	return v.frames()
}

func stamped(r simapp.Report) int {
	if r.StampErrors == nil {
		return 0
	}
	return r.Frames - *r.StampErrors
}

// expectVideo says that there is video: enough stamped pictures, each new.
func (v *viewer) expectVideo(ctx SpecContext) {
	GinkgoHelper()
	Eventually(v.frames).WithContext(ctx).Should(BeNumerically(">=", enough))
	Expect(*v.report().Repeated).To(BeZero(), "pictures shown twice")
	Expect(*v.report().StampErrors).To(BeZero(), "pictures without a stamp")
}

// look opens the app, waits for video and closes the app.
func (w *world) look(ctx SpecContext) simapp.Report {
	GinkgoHelper()
	v := w.watch()
	v.expectVideo(ctx)
	return v.leave(ctx)
}

// leaveTime bounds the end of the app, whatever does not answer it just then.
const leaveTime = 3 * time.Second

// leave closes the app and returns its last report.
func (v *viewer) leave(ctx SpecContext) simapp.Report {
	GinkgoHelper()
	Expect(v.command.Process.Signal(syscall.SIGINT)).To(Succeed())
	Eventually(v.ended).WithContext(ctx).WithTimeout(leaveTime).Should(BeClosed(), "the app ends")
	Expect(v.command.ProcessState.ExitCode()).To(BeZero())
	return v.report()
}
