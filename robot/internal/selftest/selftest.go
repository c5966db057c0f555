// Package selftest looks at a robot from end to end on its own machine: it runs
// the configured robot with its real camera, encoders and connections, is its
// relay and its viewer, and says of each part whether it works and what to do
// if not.
package selftest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/machine"
)

// startTime bounds how long a camera or a connection may take to begin.
const startTime = 10 * time.Second

// Options say what is tested.
type Options struct {
	Config robot.Config
	// For is how long the camera and each codec are measured.
	For time.Duration
	Log *slog.Logger
	// Done is called with each step when it is over; it may be nil.
	Done func(Step)

	around func(camera.Source) camera.Source // tests put a broken camera in place
}

// Step is one part that was tested.
type Step struct {
	Name   string `json:"name"` // "camera", "overlay", "h264", "vp8", "board"
	Pass   bool   `json:"pass"`
	Text   string `json:"text"`             // what was seen
	Advice string `json:"advice,omitempty"` // what to do, if it failed
	Video  *Video `json:"video,omitempty"`  // figures of camera and codecs
}

// Video is what was measured of a camera or a codec.
type Video struct {
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	FPS          float64 `json:"fps"`
	FirstMS      float64 `json:"first_ms"`               // from the request to the first picture
	CPUPercent   float64 `json:"cpu_percent"`            // of one core: camera, encoder and both ends of the connection
	BitrateKbps  float64 `json:"bitrate_kbps,omitempty"` // codecs only
	Pictures     int     `json:"pictures"`               // that came
	KeyFrames    int     `json:"key_frames,omitempty"`   // codecs only
	Verification string  `json:"verification,omitempty"` // "decoded", or "parsed" (H264 without ffmpeg)
}

// Run tests the camera, the overlay and each codec of the configuration, then asks the
// board how it is. It takes a few seconds for each; a camera or a connection that does
// not begin is given up after ten.
func Run(ctx context.Context, o Options) []Step {
	t := &test{Options: o}
	t.Config.Cloud = loopCloud()
	t.Config.Status = config.Status{Listen: "127.0.0.1:0"}
	t.Config.Control.Socket, t.Config.Overlay.Detections = "", "" // a robot that runs has them
	t.Config.WebRTC.Enabled = true
	t.step(t.camera(ctx))
	if t.Config.Overlay.Enabled {
		t.step(t.overlay())
	}
	for _, codec := range o.Config.WebRTC.Codecs {
		t.step(t.codec(ctx, codec))
	}
	if step, known := board(machine.Read(os.DirFS("/sys"))); known {
		t.step(step)
	}
	return t.steps
}

type test struct {
	Options
	steps []Step
}

func (t *test) step(s Step) {
	t.steps = append(t.steps, s)
	if t.Done != nil {
		t.Done(s)
	}
}

func failed(name, advice, format string, args ...any) Step {
	return Step{Name: name, Text: fmt.Sprintf(format, args...), Advice: advice}
}

// enough reports whether a rate is near enough to the one that was asked for.
func enough(fps float64, want int) bool { return fps >= 0.8*float64(want) }
