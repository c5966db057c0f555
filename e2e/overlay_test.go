package e2e

import (
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp"
)

// boxWatch measures in every picture how much of the dog's box is there.
type boxWatch struct {
	*simapp.Viewing

	mu     sync.Mutex
	marked map[time.Time]float64 // by when the picture was taken
	newest float64
}

func (s *stage) watchBox(ctx SpecContext) *boxWatch {
	GinkgoHelper()
	w := &boxWatch{marked: map[time.Time]float64{}}
	w.Viewing = s.watch(ctx, simapp.Options{Device: robotID, OnPicture: w.look})
	return w
}

func (w *boxWatch) look(img *image.YCbCr) {
	stamp, err := testpattern.Read(img)
	if err != nil {
		return // a placeholder
	}
	on, beside := alongBox(img, 0), max(alongBox(img, -6), alongBox(img, 6))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = on - beside
	w.marked[stamp.Captured] = w.newest
}

// alongBox is the share, 0…1, of orange pixels along the four sides of the box that
// robot/detections/send.py sends, or so many times half the line's width inside of it.
func alongBox(img *image.YCbCr, inside int) float64 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	r := image.Rect(w/4, h/4, w*3/4, h*13/20).Inset(w / 640 * (1 + inside))
	orange, all := 0, 0
	count := func(x, y int) {
		if c := img.YCbCrAt(img.Rect.Min.X+x, img.Rect.Min.Y+y); c.Cb < 100 && c.Cr > 145 {
			orange++
		}
		all++
	}
	for x := r.Min.X + w/5; x < r.Max.X; x++ { // right of the texts
		count(x, r.Min.Y)
		count(x, r.Max.Y)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		count(r.Min.X, y)
		count(r.Max.X, y)
	}
	return float64(orange) / float64(all)
}

func (w *boxWatch) now() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest
}

// mostAfter is the most of a box in any picture taken after a moment, and how many
// there are.
func (w *boxWatch) mostAfter(moment time.Time) (most float64, pictures int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for taken, marked := range w.marked {
		if taken.After(moment) {
			most, pictures = max(most, marked), pictures+1
		}
	}
	return most, pictures
}

// detector runs the documented sender until the function it returns is called.
func detector(ctx SpecContext, path string) (stop func()) {
	GinkgoHelper()
	Eventually(func() error { _, err := os.Stat(path); return err }).Should(Succeed())
	command := exec.CommandContext(ctx, python, "../robot/detections/send.py", path)
	command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
	Expect(command.Start()).To(Succeed())
	stop = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	DeferCleanup(stop)
	return stop
}

// detecting brings up a relay and a robot that listens for detections.
func detecting(ctx SpecContext, b harness.Backend) (s *stage, path string) {
	GinkgoHelper()
	s = empty(ctx, b, harness.Options{})
	path = filepath.Join(GinkgoT().TempDir(), "detections.sock")
	file, err := os.OpenFile(s.configFile, os.O_APPEND|os.O_WRONLY, 0)
	Expect(err).NotTo(HaveOccurred())
	_, err = fmt.Fprintf(file, "\noverlay: {detections: %q}\n", path)
	Expect(errors.Join(err, file.Close())).To(Succeed())
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
	return s, path
}

var _ = everywhere("What the detector sees", func(b harness.Backend) {
	It("is on the phone's picture, and no longer than half a second after the detector's end", func(ctx SpecContext) {
		s, path := detecting(ctx, b)
		seen := s.watchBox(ctx)
		most, pictures := seen.mostAfter(time.Time{})
		Expect(pictures).NotTo(BeZero())
		Expect(most).To(BeNumerically("<", 0.1), "nothing was detected yet")

		stop := detector(ctx, path)
		Eventually(seen.now).Should(BeNumerically(">", 0.5))
		stop()
		last := time.Now()
		stale := func() int { _, n := seen.mostAfter(last.Add(500 * time.Millisecond)); return n }
		Eventually(stale).Should(BeNumerically(">", 5))
		most, _ = seen.mostAfter(last.Add(500 * time.Millisecond))
		Expect(most).To(BeNumerically("<", 0.1), "a ghost")
		Expect(*seen.Report().StampErrors).To(BeZero())
	}, SpecTimeout(specTime))

	It("is left out for the one phone that does not want it", func(ctx SpecContext) {
		s, path := detecting(ctx, b)
		detector(ctx, path)
		plain, other := s.watchBox(ctx), s.watchBox(ctx)
		Eventually(plain.now).Should(BeNumerically(">", 0.5))
		switched := func(to string) func() error {
			return func() error { return plain.SendControl([]byte(`{"type":"set_overlay","enabled":` + to + `}`)) }
		}
		Eventually(switched("false")).Should(Succeed())
		Eventually(plain.now).Should(BeNumerically("<", 0.1))
		Expect(other.WaitFrames(ctx, 5)).To(Succeed())
		Expect(other.now()).To(BeNumerically(">", 0.5))
		Eventually(switched("true")).Should(Succeed())
		Eventually(plain.now).Should(BeNumerically(">", 0.5))
	}, SpecTimeout(specTime))
})
