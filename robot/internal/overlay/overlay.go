// Package overlay draws on the robot's pictures what its detector sees: boxes with
// names, behaviour and poses, a clock and the mode the robot is in. In place of a
// picture that does not come it paints a placeholder with words.
package overlay

import (
	"image"
	"sync"
	"time"

	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/draw"
)

// maxAge is how old detections may be, measured from the picture they are drawn on:
// an older box is not where the dog is.
const maxAge = 500 * time.Millisecond

// maxSizes bounds the sizes of pictures that are remembered.
const maxSizes = 8

// Painter draws on pictures of any size; all it draws grows with their height. Its
// methods may be called from any goroutine.
type Painter struct {
	settings config.Overlay
	board    *detect.Board
	typeface draw.Typeface

	mu    sync.Mutex
	sizes map[int]*size // by the picture's height
	text  []byte        // scratch
}

// New returns a painter of what is on the board.
func New(settings config.Overlay, board *detect.Board) *Painter {
	return &Painter{settings: settings, board: board, typeface: draw.NewTypeface(), sizes: map[int]*size{}}
}

// Draw draws on a 4:2:0 picture, in place, what the settings ask for. Detections that
// are more than half a second away from captured, the moment the picture was taken,
// are left out, and so is their mode. The clock shows captured in its own time zone.
// Nothing is allocated once a picture of the size was drawn on.
func (p *Painter) Draw(img *image.YCbCr, captured time.Time) {
	canvas, ok := draw.On(img)
	if !ok || !p.settings.Enabled {
		return
	}
	s := p.board.Newest()
	fresh := captured.Sub(s.At).Abs() <= maxAge

	p.mu.Lock()
	defer p.mu.Unlock()
	at := &scene{Canvas: canvas, size: p.size(canvas), text: &p.text}
	if fresh {
		p.objects(at, s.Objects)
	}
	if fresh && p.settings.Mode && s.Mode != "" {
		at.banner(s.Mode)
	}
	if p.settings.Clock {
		at.clock(captured)
	}
}

// objects draws all poses, then all boxes, then all texts, so that nothing hides a
// name.
func (p *Painter) objects(at *scene, objects []detect.Object) {
	if p.settings.Pose {
		for i := range objects {
			at.pose(&objects[i])
		}
	}
	if !p.settings.Boxes {
		return
	}
	for i := range objects {
		at.frameOf(&objects[i])
	}
	for i := range objects {
		at.textsOf(&objects[i])
	}
}

// Placeholder paints the whole of a 4:2:0 picture dark, with words in its middle, such
// as "No camera feed", and below them how long ago the last picture was taken. A
// negative since says that there was none yet. Whether the overlay is enabled does not
// matter.
func (p *Painter) Placeholder(img *image.YCbCr, words string, since time.Duration) {
	canvas, ok := draw.On(img)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at := &scene{Canvas: canvas, size: p.size(canvas), text: &p.text}
	at.placeholder(words, since)
}

// scene is one picture that is being drawn on.
type scene struct {
	draw.Canvas
	*size
	text *[]byte // scratch
}

// size is what depends on the picture's height.
type size struct {
	unit   int // of line widths and distances: 1/360 of the height, at least 1
	label  *draw.Font
	title  *draw.Font
	bones  draw.Pen
	joints draw.Pen
	frame  draw.Pen
}

func (p *Painter) size(c draw.Canvas) *size {
	_, height := c.Size()
	s := p.sizes[height]
	if s == nil {
		if len(p.sizes) >= maxSizes {
			clear(p.sizes)
		}
		s = newSize(p.typeface, height)
		p.sizes[height] = s
	}
	return s
}

func newSize(t draw.Typeface, height int) *size {
	unit := max(1, (height+180)/360)
	edge := (unit + 1) / 2
	s := &size{
		unit:   unit,
		label:  t.Size(max(11, height/32)),
		title:  t.Size(max(14, height/12)),
		frame:  draw.NewPen(2*unit, edge),
		bones:  draw.NewPen(max(2, 3*unit/2), edge),
		joints: draw.NewPen(3*unit, edge),
	}
	s.frame.Edge, s.bones.Edge, s.joints.Edge, s.joints.Ink = ink, ink, ink, paper
	return s
}
