package selftest

import (
	"fmt"
	"image"
	"slices"
	"time"

	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/overlay"
)

// drawings is how many pictures the overlay is measured on.
const drawings = 50

// overlay draws on pictures what a detector might see at most.
func (t *test) overlay() Step {
	const name = "overlay"
	now := time.Now()
	board := &detect.Board{}
	board.Put(dogs(now))
	painter := overlay.New(t.Config.Overlay, board)
	video := t.Config.WebRTC.Video
	picture := image.NewYCbCr(image.Rect(0, 0, video.Width, video.Height), image.YCbCrSubsampleRatio420)
	blank := slices.Clone(picture.Y)
	painter.Draw(picture, now) // fonts are made ready
	if slices.Equal(blank, picture.Y) {
		return failed(name, "please report this: it is a fault in the robot's program", "nothing was drawn")
	}
	begin := time.Now()
	for range drawings {
		painter.Draw(picture, now)
	}
	took := time.Since(begin) / drawings
	return Step{Name: name, Pass: true, Text: fmt.Sprintf("five dogs drawn in %.2f ms a picture", float64(took.Microseconds())/1000)}
}

// dogs is what a detector might say of five dogs.
func dogs(now time.Time) detect.Set {
	set := detect.Set{At: now, Mode: "self-test"}
	for i := range 5 {
		x := float32(i) / 5
		pose := make([]detect.Keypoint, 17)
		for j := range pose {
			pose[j] = detect.Keypoint{X: x + float32(j%4)/25, Y: 0.3 + float32(j)/40, Confidence: 1}
		}
		set.Objects = append(set.Objects, detect.Object{
			Class: "dog", Name: fmt.Sprintf("Dog %d", i+1), Confidence: 0.9, Behaviour: "sitting",
			Box: detect.Box{X: x, Y: 0.25, W: 0.18, H: 0.5}, Pose: pose,
		})
	}
	return set
}
