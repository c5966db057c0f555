package selftest

import (
	"context"
	"fmt"
	"time"

	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/camera"
)

// codec runs the whole robot and watches it in one codec.
func (t *test) codec(ctx context.Context, codec string) Step {
	relay, eyes := newLoop(), &witness{}
	r, err := robot.NewWith(t.Config, robot.Parts{
		Dial: relay.dial,
		Camera: func(source camera.Source) camera.Source {
			eyes.Source = t.wrap(source)
			return eyes
		},
	}, t.Log)
	if err != nil {
		return failed(codec, "see robot config check", "%v", err)
	}
	robotCtx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.Run(robotCtx) }()
	units, v, err := t.measure(ctx, relay, codec)
	stop()
	if ended := <-ended; err == nil {
		err = ended
	}
	if err != nil {
		return failed(codec, "run it with --log-level debug: the log says how far it came", "%v", err)
	}
	return t.judge(ctx, codec, units, v, eyes)
}

// measure connects, and receives for a while.
func (t *test) measure(ctx context.Context, relay *loop, codec string) (units [][]byte, v Video, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime+t.For, errNoPicture)
	defer cancel()
	asked := time.Now()
	viewer, err := watch(ctx, relay, codec)
	if err != nil {
		return nil, v, err
	}
	defer viewer.close()
	key, err := viewer.next(ctx)
	if err != nil {
		return nil, v, err
	}
	begin, before := time.Now(), cpuTime()
	units = viewer.collect(ctx, t.For)
	took, bytes := time.Since(begin), 0
	for _, unit := range units {
		bytes += len(unit)
	}
	v = Video{
		FPS: perSecond(len(units), took), CPUPercent: percent(cpuTime()-before, took),
		FirstMS: float64(begin.Sub(asked).Microseconds()) / 1000, BitrateKbps: float64(bytes) * 8 / 1000 / took.Seconds(),
		Pictures: len(units) + 1,
	}
	return append([][]byte{key}, units...), v, nil
}

// judge says whether what arrived is what the camera saw, at the rate it took it.
func (t *test) judge(ctx context.Context, codec string, units [][]byte, v Video, eyes *witness) Step {
	var (
		found finding
		err   error
	)
	if codec == "vp8" {
		found, err = decodeVP8(units, eyes)
	} else {
		found, err = lookAtH264(ctx, units, eyes)
	}
	v.Width, v.Height, v.KeyFrames, v.Verification = found.width, found.height, found.keyFrames, found.how
	s := Step{Name: codec, Pass: true, Video: &v, Text: fmt.Sprintf(
		"%dx%d, %.1f fps, %.0f kbit/s, %.0f %% of one core, first picture after %.0f ms; %d pictures received and %s",
		v.Width, v.Height, v.FPS, v.BitrateKbps, v.CPUPercent, v.FirstMS, v.Pictures, found.words)}
	switch want := t.Config.WebRTC.Video.FPS; {
	case err != nil:
		s.Pass, s.Text = false, fmt.Sprintf("%d pictures arrived, but %v", v.Pictures, err)
		s.Advice = "the encoder is broken on this machine: leave " + codec + " out of webrtc.codecs, and tell us"
	case !enough(v.FPS, want):
		s.Pass = false
		s.Advice = fmt.Sprintf("%d fps are configured: end other programs, or lower webrtc.video (width, height, fps)", want)
	}
	return s
}

// lookAtH264 looks as closely as this machine can.
func lookAtH264(ctx context.Context, units [][]byte, eyes *witness) (finding, error) {
	found, err := parseH264(units)
	switch {
	case err != nil:
	case eyes.contrast() >= minContrast && found.empty():
		err = fmt.Errorf("the key frame of %d bytes is that of a picture of one shade, but the camera saw something", found.keyBytes)
	case hasDecoder():
		found.how, found.words = "decoded", decodedWords
		err = decodeH264(ctx, units, eyes)
	}
	return found, err
}

const decodedWords = "decoded: they show what the camera saw"

// finding is what a closer look at the pictures of a codec showed.
type finding struct {
	width, height int
	keyFrames     int
	keyBytes      int    // of the first key frame's slices
	how, words    string // for machines and for people
}

// empty reports whether a key frame holds no more than the headers of its
// macroblocks. Without any detail one takes 8 bits (ITU-T H.264, 7.3.5: 5 of
// mb_type, 1 each of intra_chroma_pred_mode, mb_qp_delta and coeff_token); any
// real picture takes several times that.
func (f finding) empty() bool {
	const macroblock = 16 * 16
	return f.keyBytes < 2*f.width*f.height/macroblock
}
