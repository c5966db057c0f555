package browser

import (
	"fmt"
	"image"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/testpattern"
)

// Shot is a picture that the page has shown, read in the callback that says so.
type Shot struct {
	RTP   uint32  `json:"rtp"`   // the frame's RTP timestamp, 90 kHz
	Now   float64 `json:"now"`   // when it was read, in milliseconds since the epoch
	After bool    `json:"after"` // another robot had been chosen before
	Luma  []byte  `json:"luma"`  // 160x90
}

// Stamp reads the picture's stamp.
func (s Shot) Stamp() (testpattern.Stamp, error) {
	return testpattern.Read(&image.YCbCr{
		Y: s.Luma, YStride: 160, Rect: image.Rect(0, 0, 160, 90), SubsampleRatio: image.YCbCrSubsampleRatio420,
	})
}

// Shots takes what was shown since the last time.
func (t *Tab) Shots() ([]Shot, error) { return Evaluate[[]Shot](t, "observer.take()")() }

// sequence follows the stamps of the pictures shown.
type sequence struct {
	last     testpattern.Stamp
	row      int             // how many of the last came without one missing
	damaged  int             // have no stamp
	late     int             // are older than one shown before
	apart    []time.Duration // capture times less RTP times
	latency  []time.Duration
	previous uint32 // RTP time
	sent     time.Duration
}

func (q *sequence) add(s Shot) {
	stamp, err := s.Stamp()
	switch {
	case err != nil:
		q.damaged++
		return
	case q.latency == nil:
		q.row, q.previous = 1, s.RTP
	case stamp.Number == q.last.Number+1:
		q.row++
	case stamp.Number < q.last.Number:
		q.late++
	default:
		q.row = 1
	}
	q.sent += time.Duration(s.RTP-q.previous) * time.Second / 90_000
	q.apart = append(q.apart, time.Duration(stamp.Captured.UnixNano())-q.sent)
	q.latency = append(q.latency, time.UnixMicro(int64(s.Now*1000)).Sub(stamp.Captured))
	q.last, q.previous = stamp, s.RTP
}

// matching is the part of the pictures that are the frame that the browser says they
// are. A browser that is busy may show the next one before it is read.
func (q *sequence) matching() float64 {
	slices.Sort(q.apart)
	usual, n := q.apart[len(q.apart)/2], 0
	for _, apart := range q.apart {
		if (apart - usual).Abs() < 10*time.Millisecond {
			n++
		}
	}
	return float64(n) / float64(len(q.apart))
}

// ExpectEveryFrame says that the page shows the robot's pictures in order, and for
// two seconds every one of them, each once; and that what is on the screen is the
// frame that the browser says it is.
func (t *Tab) ExpectEveryFrame() {
	GinkgoHelper()
	t.Run("observer.reads = true")
	var seen sequence
	Eventually(func() (int, error) {
		shots, err := t.Shots()
		for _, s := range shots {
			seen.add(s)
		}
		return seen.row, err
	}).WithTimeout(20*time.Second).Should(BeNumerically(">=", 30), "frames in a row")
	Expect(seen.damaged).To(BeZero(), "pictures without a stamp")
	Expect(seen.late).To(BeZero(), "pictures that came after a newer one")
	Expect(seen.matching()).To(BeNumerically(">", 0.8), "pictures that are the right frame")
	slices.Sort(seen.latency)
	AddReportEntry("from the camera to the screen", seen.latency[len(seen.latency)/2].String())
}

// WatchGap begins to measure the longest time between two pictures.
func (t *Tab) WatchGap() {
	GinkgoHelper()
	t.Run("observer.reset()")
	t.lag = harness.WatchLag()
	DeferCleanup(t.lag.Stop)
}

// ExpectNoGap says that since [Tab.WatchGap] the picture has never stood still for as
// long as this, on a machine that has time.
func (t *Tab) ExpectNoGap(limit time.Duration) {
	GinkgoHelper()
	longest, err := t.Number("observer.longest()")()
	Expect(err).NotTo(HaveOccurred())
	gap := time.Duration(longest * float64(time.Millisecond))
	AddReportEntry("longest gap", fmt.Sprintf("%v, longest wait for the processor %v", gap, t.lag.Longest()))
	Expect(gap).To(BeNumerically("<", t.lag.Allow(limit)))
}

// ExpectHonest says that so far no picture that is old has passed for a live one, and
// that nothing has turned for long without other words.
func (t *Tab) ExpectHonest() {
	GinkgoHelper()
	Expect(t.Number("observer.unsaid")()).To(BeNumerically("<", 1000), "ms for which nothing said how old the picture was")
	Expect(t.Number("observer.longestSpin")()).To(BeNumerically("<", 15_500), "ms for which the page said nothing else")
}

// Choose takes a robot from the list.
func (t *Tab) Choose(id wire.DeviceID) {
	GinkgoHelper()
	t.Click(fmt.Sprintf("#robots [data-device=%q]", id))
}

// ExpectOnly changes to a robot and says that from that moment on there is no other
// robot's picture on the screen.
func (t *Tab) ExpectOnly(id wire.DeviceID, of func(number uint32) bool) {
	GinkgoHelper()
	t.Run("observer.switched = Infinity; observer.take()")
	t.Choose(id)
	shown := 0
	Eventually(func() (int, error) {
		shots, err := t.Shots()
		for _, s := range shots {
			stamp, none := s.Stamp()
			if !s.After || none != nil {
				continue
			}
			Expect(of(stamp.Number)).To(BeTrue(), "picture %d is not of %s", stamp.Number, id)
			shown++
		}
		return shown, err
	}).WithTimeout(20*time.Second).Should(BeNumerically(">=", 30), "times that %s was seen", id)
}
