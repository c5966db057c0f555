package overlay

import (
	"image"
	"strconv"
	"time"

	"wimz.dev/live/robot/internal/draw"
)

// lineHeight is the height of a panel with one line of text.
func (s *scene) lineHeight() int {
	return (s.label.Ascent + s.label.Descent + s.unit + 1) &^ 1
}

// padding is the room left and right of a panel's text.
func (s *scene) padding() int { return 3 * s.unit }

// panel writes a text on a panel whose upper left corner is at. What is too wide for
// the picture is cut, and what would leave it is moved inside.
func (s *scene) panel(at image.Point, under draw.Colour, opacity uint8, with draw.Colour, text []byte) {
	w, _ := s.Size()
	text = s.label.Fit(text, w-2*s.padding())
	width := (s.label.Width(text) + 2*s.padding() + 1) &^ 1
	at.X = max(0, min(at.X, (w-width)&^1))
	s.Fill(image.Rect(0, 0, width, s.lineHeight()).Add(at), under, opacity)
	s.Text(s.label, at.X+s.padding(), at.Y+s.unit/2+s.label.Ascent, text, with)
}

// margin is the distance of clock and banner from the picture's border.
func (s *scene) margin() int { return 4 * s.unit }

// banner writes the mode into the upper left corner.
func (s *scene) banner(mode string) {
	*s.text = append((*s.text)[:0], mode...)
	s.panel(image.Pt(s.margin(), s.margin()), ink, 210, paper, *s.text)
}

// clock writes date and time into the upper right corner.
func (s *scene) clock(now time.Time) {
	w, _ := s.Size()
	*s.text = now.AppendFormat((*s.text)[:0], "2006-01-02 15:04:05")
	x := w - s.margin() - s.label.Width(*s.text) - 2*s.padding()
	s.panel(image.Pt(x&^1, s.margin()), ink, 210, paper, *s.text)
}

// placeholder stands for a picture that does not come.
func (s *scene) placeholder(words string, since time.Duration) {
	w, h := s.Size()
	s.Fill(image.Rect(0, 0, w, h), draw.Colour{Y: 32, Cb: 130, Cr: 127}, 255)
	*s.text = append((*s.text)[:0], words...)
	s.centred(s.title, h/2, *s.text, paper)
	if since >= 0 {
		*s.text = appendAgo(append((*s.text)[:0], "last picture "...), since)
		s.centred(s.label, h/2+s.title.Descent+2*s.label.Ascent, *s.text, faint)
	}
}

func (s *scene) centred(f *draw.Font, baseline int, text []byte, with draw.Colour) {
	w, _ := s.Size()
	text = f.Fit(text, w)
	s.Text(f, (w-f.Width(text))/2, baseline, text, with)
}

// appendAgo appends a length of time in the largest unit of which there is one.
func appendAgo(text []byte, since time.Duration) []byte {
	unit, name := time.Second, " s ago"
	switch {
	case since >= 48*time.Hour:
		unit, name = 24*time.Hour, " days ago"
	case since >= time.Hour:
		unit, name = time.Hour, " h ago"
	case since >= time.Minute:
		unit, name = time.Minute, " min ago"
	}
	return append(strconv.AppendInt(text, int64(since/unit), 10), name...)
}
