package e2e

import (
	"encoding/json"
	"image"
	"strings"
	"sync/atomic"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

// spectator watches the robot and knows the size of the picture that came last, and
// what the robot said of it.
type spectator struct {
	*simapp.Viewing
	width, height atomic.Int64
	told          atomic.Pointer[pictureNews]
}

// pictureNews is what a robot tells of the picture (CONTRACT §6).
type pictureNews struct {
	Type        string  `json:"type"`
	Tier        string  `json:"tier"`
	Resolution  string  `json:"resolution"`
	BitrateKbps int     `json:"bitrate_kbps"`
	LossPct     float64 `json:"loss_pct"`
	RTTMillis   int     `json:"rtt_ms"`
	Bars        int     `json:"bars"`
	Mode        string  `json:"mode"`
}

func (s *stage) spectator(ctx SpecContext, codec string) *spectator {
	GinkgoHelper()
	o := &spectator{}
	o.Viewing = s.watch(ctx, simapp.Options{
		Device: robotID, Codec: codec,
		OnPicture: func(img *image.YCbCr) {
			o.width.Store(int64(img.Rect.Dx()))
			o.height.Store(int64(img.Rect.Dy()))
		},
		OnControl: func(data []byte) {
			var news pictureNews
			if json.Unmarshal(data, &news) == nil && news.Type == "video_quality" {
				o.told.Store(&news)
			}
		},
	})
	return o
}

// choose asks for a picture until it comes: the channel repairs no loss.
func (o *spectator) choose(mode string, width, height int64) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(o.SendControl([]byte(`{"command":"set_video_quality","mode":"` + mode + `"}`))).To(Succeed())
		g.Expect(o.width.Load()).To(Equal(width))
		g.Expect(o.height.Load()).To(Equal(height))
	}).WithTimeout(recovery).Should(Succeed(), "the picture of mode %s", mode)
}

// recovery is how long the way up from the lowest tier may take on a machine that
// is busy: packets that wait for the processor look as if they waited on the way.
const recovery = specTime * 2 / 3

var _ = everywhere("The picture", Serial, func(b harness.Backend) {
	for _, codec := range []string{"h264", "vp8"} {
		It("is what a viewer asks for, in "+codec+", and is described", func(ctx SpecContext) {
			s := ready(ctx, b, harness.Options{})
			viewer := s.spectator(ctx, codec)
			viewer.choose("low", 640, 368)
			Eventually(viewer.told.Load).WithContext(ctx).Should(And(Not(BeNil()), HaveField("Tier", "low"), HaveField("Mode", "low"),
				HaveField("Resolution", "640x368"), HaveField("BitrateKbps", BeNumerically(">", 50)), HaveField("Bars", BeNumerically("<=", 4))))
			viewer.choose("medium", 960, 544)
			viewer.choose("auto", 1280, 720)
			Expect(viewer.WaitFrames(ctx, 5)).To(Succeed())
		}, SpecTimeout(specTime))
	}

	It("is each viewer's own, and encoded once for those who want the same", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{})
		one, two := s.spectator(ctx, "h264"), s.spectator(ctx, "h264")
		encoders := func() (int, error) {
			status, err := s.RobotStatus(ctx, robotID)
			return status.Encoders, err
		}
		one.choose("high", 1280, 720)
		two.choose("low", 640, 368)
		Eventually(encoders).WithContext(ctx).Should(Equal(2))
		Expect(one.WaitFrames(ctx, 5)).To(Succeed())
		Expect(one.width.Load()).To(BeEquivalentTo(1280))

		one.choose("low", 640, 368)
		Eventually(encoders).WithContext(ctx).Should(Equal(1))
		Expect(one.WaitFrames(ctx, 5)).To(Succeed())
		Expect(two.WaitFrames(ctx, 5)).To(Succeed())
		one.Close()
		two.Close()
		s.expectNothingLeft(ctx)
	}, SpecTimeout(specTime))
})

var _ = Describe("A camera that gives nothing any more", func() {
	It("is a placeholder to its viewers, and the apps are told when it goes and when it is back", func(ctx SpecContext) {
		p, b := newPi("ok")
		s := seeing(ctx, b, "{source: rpicam}")
		app := s.app(ctx, s.owner)
		viewing := s.watch(ctx, simapp.Options{Device: robotID})
		program, err := p.program(0)
		Expect(err).NotTo(HaveOccurred())
		Expect(syscall.Kill(program, syscall.SIGSTOP)).To(Succeed())
		news, err := app.Next(ctx, "camera_status_changed")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(news.Fields)).To(HavePrefix(`"status":"buffering"`))
		Eventually(func() int { return *viewing.Report().StampErrors }).WithContext(ctx).Should(BeNumerically(">", 0), "placeholders")
		for !strings.HasPrefix(string(news.Fields), `"status":"ok"`) { // the program is started anew
			news, err = app.Next(ctx, "camera_status_changed")
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
	}, SpecTimeout(specTime))
})
