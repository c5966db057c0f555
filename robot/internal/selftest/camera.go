package selftest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/detect"
)

// minContrast is the least standard deviation of a picture's cells, in steps of
// luma. Below it a wrong picture could not be told from the right one.
const minContrast = 2

// camera opens the camera by itself and looks at what it gives.
func (t *test) camera(ctx context.Context) Step {
	const name = "camera"
	source, err := camera.New(t.Config.Camera, &detect.Board{}, t.Log)
	if err != nil {
		return failed(name, cameraAdvice(t.Config.Camera.Source), "%v", err)
	}
	var saw sight
	serving, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	serving.Go(func() error { return camera.Serve(ctx, source, camera.FormatOf(t.Config.WebRTC.Video)) })
	serving.Go(func() (err error) {
		defer stop()
		saw, err = t.look(ctx, t.wrap(source))
		return err
	})
	err = serving.Wait()
	v := saw.video
	switch {
	case err != nil:
		return failed(name, cameraAdvice(t.Config.Camera.Source), "%s: %v", t.Config.Camera.Source, err)
	case saw.contrast < minContrast:
		return failed(name, "take the cap off the lens, or switch a light on",
			"the picture is all of one shade (contrast %.1f of 255)", saw.contrast)
	case !enough(v.FPS, t.Config.WebRTC.Video.FPS):
		s := failed(name, "lower webrtc.video.fps, or give the camera more light",
			"%.1f fps, but %d are configured", v.FPS, t.Config.WebRTC.Video.FPS)
		s.Video = &v
		return s
	}
	return Step{Name: name, Pass: true, Video: &v, Text: fmt.Sprintf("%s: %dx%d, %.1f fps, first picture after %.0f ms, %.0f %% of one core",
		t.Config.Camera.Source, v.Width, v.Height, v.FPS, v.FirstMS, v.CPUPercent)}
}

func (t *test) wrap(source camera.Source) camera.Source {
	if t.around == nil {
		return source
	}
	return t.around(source)
}

// sight is what a look at a camera showed.
type sight struct {
	video    Video
	contrast float64
}

func (t *test) look(ctx context.Context, source camera.Source) (s sight, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime+t.For, errors.New("no picture came in time"))
	defer cancel()
	asked := time.Now()
	reader, err := source.Open(ctx, camera.FormatOf(t.Config.WebRTC.Video))
	if err != nil {
		return s, err
	}
	defer reader.Close() //nolint:errcheck // it is given up
	defer context.AfterFunc(ctx, func() { _ = reader.Close() })()
	var first time.Time
	var before time.Duration
	for n := 0; ; n++ {
		frame, err := reader.Read()
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return s, err
		}
		now := time.Now()
		if n == 0 {
			first, before = now, cpuTime()
			s.video.FirstMS = float64(now.Sub(asked).Microseconds()) / 1000
		}
		look := thumbnailOf(frame.Image)
		s.contrast = max(s.contrast, look.contrast())
		s.video.Width, s.video.Height = frame.Image.Rect.Dx(), frame.Image.Rect.Dy()
		frame.Release()
		if s.video.Pictures = n; now.Sub(first) >= t.For {
			s.video.FPS, s.video.CPUPercent = perSecond(n, now.Sub(first)), percent(cpuTime()-before, now.Sub(first))
			return s, nil
		}
	}
}

func cameraAdvice(source string) string {
	const busy = "; if the robot is running, stop it first: sudo systemctl stop wimz-robot"
	switch source {
	case "rpicam":
		return "check the ribbon cable and what rpicam-hello --list-cameras says" + busy
	case "v4l2":
		return "check the USB cable, and that this user is in the group video" + busy
	case "feed":
		return "start the program that owns the camera and sends its pictures" + busy
	case "file":
		return "check camera.file"
	default:
		return "check camera.source"
	}
}
