//go:build v4l2

package camera

import (
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/driver/camera"
	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/camera/internal/i420"
)

// maxBroken is how many pictures in a row may be damaged, as those of USB cameras
// are now and then.
const maxBroken = 10

// newV4L2 returns the USB camera whose file device is.
func newV4L2(device string) (Source, error) {
	return &patient{Source: FromDriver(&v4l2{device: device})}, nil
}

// v4l2 is a camera of mediadevices' driver, found by its file when it is opened: it
// may have been plugged in a moment ago. The driver gives up a camera that is silent
// for five seconds, and takes as long to close one that is.
type v4l2 struct {
	device string
	found  driver.Driver // set by Open
}

// Open implements driver.Adapter.
func (c *v4l2) Open() error {
	camera.Initialize()
	file, err := filepath.EvalSymlinks(c.device)
	all := driver.GetManager().Query(driver.FilterVideoRecorder())
	if err == nil {
		for _, d := range all {
			if fileOf(d) == file {
				c.found = d
				return d.Open()
			}
		}
	}
	there := make([]string, len(all))
	for i, d := range all {
		there[i] = fileOf(d)
	}
	slices.Sort(there)
	return fmt.Errorf("there is no camera at %s, but %d others %v; see camera.v4l2.device, and that the camera is plugged in",
		c.device, len(there), there)
}

// fileOf is the file of a camera that the driver has found.
func fileOf(d driver.Driver) string {
	_, file, _ := strings.Cut(d.Info().Label, camera.LabelSeparator)
	return filepath.Join("/dev", file)
}

// Close implements driver.Adapter.
func (c *v4l2) Close() error { return c.found.Close() }

// Properties implements driver.Adapter.
func (c *v4l2) Properties() []prop.Media { return c.found.Properties() }

// VideoRecord implements driver.VideoRecorder.
func (c *v4l2) VideoRecord(p prop.Media) (video.Reader, error) {
	mode, err := choose(c.found.Properties(), p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.device, err)
	}
	recorder, ok := c.found.(driver.VideoRecorder)
	if !ok {
		return nil, fmt.Errorf("%s is a %T, no camera", c.device, c.found)
	}
	from, err := recorder.VideoRecord(mode)
	if err != nil {
		return nil, err
	}
	pace, broken := newPace(max(1, int(p.FrameRate))), 0
	return video.ReaderFunc(func() (image.Image, func(), error) {
		for {
			picture, release, err := from.Read()
			switch {
			case err != nil && broken < maxBroken && isDamage(err):
				broken++
			case err != nil:
				return nil, nil, fmt.Errorf("%s: %w", c.device, err)
			case !pace.due(time.Now()): // it is faster than it was asked to be
				release()
			default:
				broken = 0
				return full(picture, mode.FrameFormat), release, nil
			}
		}
	}), nil
}

// full makes a picture full range, in place. JPEG is.
func full(picture image.Image, f frame.Format) image.Image {
	if p, ok := picture.(*image.YCbCr); ok && f != frame.FormatMJPEG {
		i420.FromLimited(p.Y, p.Cb)
		i420.FromLimited(nil, p.Cr)
	}
	return picture
}

// isDamage reports whether an error is about one picture.
func isDamage(err error) bool {
	text := err.Error()
	return strings.Contains(text, "JPEG") || strings.Contains(text, "EOF") || strings.Contains(text, "frame length")
}

// choose returns the best of what a camera can do for what is asked for: of the
// modes of that size those that are fast enough, of these those that need no
// decoder, of these the slowest; or else the fastest there is.
func choose(modes []prop.Media, asked prop.Media) (prop.Media, error) {
	var best *prop.Media
	sizes := map[string]bool{}
	for _, mode := range modes {
		if rank(mode.FrameFormat) == 0 {
			continue
		}
		sizes[fmt.Sprintf("%dx%d", mode.Width, mode.Height)] = true
		if mode.Width == asked.Width && mode.Height == asked.Height && (best == nil || better(mode, *best, asked.FrameRate)) {
			best = &mode
		}
	}
	switch {
	case best != nil:
		return *best, nil
	case len(sizes) == 0:
		return prop.Media{}, errors.New("it has neither MJPEG nor YUYV pictures")
	default:
		var list []string
		for size := range sizes {
			list = append(list, size)
		}
		slices.Sort(list)
		return prop.Media{}, fmt.Errorf("it has no pictures of %dx%d; set webrtc.video to one of %s",
			asked.Width, asked.Height, strings.Join(list, ", "))
	}
}

// rank is how gladly a format is taken; 0 is not at all. Those that are left out
// share memory between their pictures in the driver.
func rank(f frame.Format) int {
	switch f {
	case frame.FormatYUYV, frame.FormatUYVY:
		return 2
	case frame.FormatMJPEG:
		return 1
	default:
		return 0
	}
}

func better(a, b prop.Media, rate float32) bool {
	fastA, fastB := a.FrameRate >= rate || a.FrameRate == 0, b.FrameRate >= rate || b.FrameRate == 0
	switch {
	case fastA != fastB:
		return fastA
	case !fastA && a.FrameRate != b.FrameRate:
		return a.FrameRate > b.FrameRate
	case rank(a.FrameFormat) != rank(b.FrameFormat):
		return rank(a.FrameFormat) > rank(b.FrameFormat)
	default:
		return math.Abs(float64(a.FrameRate-rate)) < math.Abs(float64(b.FrameRate-rate))
	}
}
