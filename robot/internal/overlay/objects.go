package overlay

import (
	"cmp"
	"image"
	"math"
	"strconv"

	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/draw"
)

// seen is the confidence from which a point of a pose is drawn: models give every
// point some place.
const seen = 0.3

// skeleton are the bones between the points of a pose, as COCO has them, two numbers
// each: legs and hips, body, arms, face.
//
//nolint:gochecknoglobals // a table
var skeleton = [...]int{
	15, 13, 13, 11, 16, 14, 14, 12, 11, 12,
	5, 11, 6, 12, 5, 6,
	5, 7, 6, 8, 7, 9, 8, 10,
	1, 2, 0, 1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6,
}

// pose draws the bones whose both ends are seen, and the points on top of them.
func (s *scene) pose(o *detect.Object) {
	if len(o.Pose) != detect.PoseLen {
		return
	}
	w, h := s.Size()
	width, height := float32(w), float32(h)
	s.bones.Ink = colourOf(o.Class)
	for i := 0; i < len(skeleton); i += 2 {
		from, to := o.Pose[skeleton[i]], o.Pose[skeleton[i+1]]
		if from.Confidence >= seen && to.Confidence >= seen {
			s.Line(from.X*width, from.Y*height, to.X*width, to.Y*height, &s.bones)
		}
	}
	for _, p := range o.Pose {
		if p.Confidence >= seen {
			s.Dot(p.X*width, p.Y*height, &s.joints)
		}
	}
}

// frameOf draws an object's box.
func (s *scene) frameOf(o *detect.Object) {
	if r, ok := s.place(o.Box); ok {
		s.frame.Ink = colourOf(o.Class)
		s.Frame(r, &s.frame)
	}
}

// textsOf writes an object's name with the confidence above its box and the behaviour
// below it.
func (s *scene) textsOf(o *detect.Object) {
	r, ok := s.place(o.Box)
	if !ok {
		return
	}
	text := (*s.text)[:0]
	text = append(text, cmp.Or(o.Name, o.Class)...)
	if len(text) > 0 {
		text = append(text, ' ')
	}
	text = strconv.AppendInt(text, int64(math.Round(100*float64(o.Confidence))), 10)
	text = append(text, '%')
	s.tag(r, colourOf(o.Class), text)
	if o.Behaviour != "" {
		text = append(text[:0], o.Behaviour...)
		s.caption(r, text)
	}
	*s.text = text
}

// place returns where a box is in the picture, and false if it is outside.
func (s *scene) place(b detect.Box) (r image.Rectangle, inside bool) {
	w, h := s.Size()
	r = image.Rect(pixel(b.X, w), pixel(b.Y, h), pixel(b.X+b.W, w), pixel(b.Y+b.H, h))
	return r, r.Overlaps(image.Rect(0, 0, w, h))
}

// tag writes on a panel above the box, or inside at its top where there is no room.
func (s *scene) tag(box image.Rectangle, colour draw.Colour, text []byte) {
	y := box.Min.Y - s.lineHeight()
	if y < 0 {
		y = max(0, box.Min.Y)
	}
	s.panel(image.Pt(box.Min.X, y), colour, 230, ink, text)
}

// caption writes on a panel below the box, or inside at its bottom where there is no
// room.
func (s *scene) caption(box image.Rectangle, text []byte) {
	_, h := s.Size()
	y := box.Max.Y
	if y+s.lineHeight() > h {
		y = min(h, y) - s.lineHeight()
	}
	s.panel(image.Pt(box.Min.X, y), ink, 190, paper, text)
}

// pixel is the even pixel at a fraction of the picture. What is no number is 0.
func pixel(fraction float32, size int) int {
	if fraction != fraction {
		return 0
	}
	return int(min(max(fraction, -2), 4)*float32(size)+1) &^ 1
}
