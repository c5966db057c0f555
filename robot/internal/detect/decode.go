package detect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what a detector may say.
const (
	MaxLine    = 64 << 10 // bytes, the line's end included
	maxObjects = 32
	maxText    = 64 // characters
	maxAge     = time.Minute
	// What leaves the picture by more than its own size is no fraction of it.
	minCoordinate, maxCoordinate = -1, 2
)

// line is the JSON of a [Set].
type line struct {
	AgeMS   float64  `json:"age_ms"`
	Mode    string   `json:"mode"`
	Objects []object `json:"objects"`
}

type object struct {
	Class      string      `json:"class"`
	Name       string      `json:"name"`
	Confidence float32     `json:"confidence"`
	Box        []float32   `json:"box"`
	Behaviour  string      `json:"behaviour"`
	Pose       [][]float32 `json:"pose"`
}

// Decode reads one JSON object:
//
//	{
//	  "age_ms": 40,
//	  "mode": "Training",
//	  "objects": [{
//	    "class": "dog", "name": "Žofka", "confidence": 0.93,
//	    "box": [0.12, 0.30, 0.25, 0.40],
//	    "behaviour": "sit",
//	    "pose": [[0.20, 0.35, 0.9], …]
//	  }]
//	}
//
// age_ms says how long ago the detector's picture was taken, in milliseconds up to
// a minute, measured by the sender with a clock that does not jump; Decode takes it
// off now. An age, unlike a time of day, is right whatever the two processes'
// clocks say and even while one is set. A box is its left, top, width and height; a
// pose is [PoseLen] times x, y and confidence. Coordinates are fractions of the
// picture; what leaves it is cut off when it is drawn, and what is outside of -1…2
// is an error, because it must be pixels. Every key may be left out but an object's
// box.
//
// There is an error for a line longer than [MaxLine], for more than 32 objects, for
// texts that are not UTF-8, have control characters or more than 64 characters.
// Texts are normalised to NFC, as fonts have it. Unknown keys are an error, as a
// slip of the pen must not pass for nothing seen.
func Decode(data []byte, now time.Time) (Set, error) {
	switch {
	case len(data) > MaxLine:
		return Set{}, errTooLong
	case !utf8.Valid(data):
		return Set{}, errors.New("the line is not UTF-8")
	}
	var l line
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Set{}, fmt.Errorf("the line is not a JSON object of detections: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Set{}, errors.New("the line holds more than one JSON object")
	}
	return l.set(now)
}

var errTooLong = fmt.Errorf("the line is longer than %d bytes", MaxLine)

func (l line) set(now time.Time) (Set, error) {
	age := time.Duration(l.AgeMS * float64(time.Millisecond))
	switch {
	case l.AgeMS < 0 || l.AgeMS > float64(maxAge/time.Millisecond):
		return Set{}, fmt.Errorf("age_ms is %g; use 0 to %d", l.AgeMS, maxAge/time.Millisecond)
	case len(l.Objects) > maxObjects:
		return Set{}, fmt.Errorf("there are %d objects; send at most %d", len(l.Objects), maxObjects)
	}
	mode, err := text("mode", l.Mode)
	if err != nil {
		return Set{}, err
	}
	s := Set{At: now.Add(-age), Mode: mode, Objects: make([]Object, len(l.Objects))}
	for i, o := range l.Objects {
		if s.Objects[i], err = o.object(); err != nil {
			return Set{}, fmt.Errorf("objects[%d].%w", i, err)
		}
	}
	return s, nil
}

func (o object) object() (Object, error) {
	result := Object{Confidence: o.Confidence}
	for _, t := range []struct {
		key, value string
		into       *string
	}{
		{"class", o.Class, &result.Class},
		{"name", o.Name, &result.Name},
		{"behaviour", o.Behaviour, &result.Behaviour},
	} {
		var err error
		if *t.into, err = text(t.key, t.value); err != nil {
			return Object{}, err
		}
	}
	if o.Confidence < 0 || o.Confidence > 1 {
		return Object{}, fmt.Errorf("confidence is %g; use 0 to 1", o.Confidence)
	}
	var err error
	if result.Box, err = box(o.Box); err == nil {
		result.Pose, err = pose(o.Pose)
	}
	return result, err
}

func box(v []float32) (Box, error) {
	if len(v) != 4 {
		return Box{}, fmt.Errorf("box has %d numbers; use [left, top, width, height]", len(v))
	}
	for _, c := range v {
		if err := coordinate("box", c); err != nil {
			return Box{}, err
		}
	}
	if v[2] < 0 || v[3] < 0 {
		return Box{}, fmt.Errorf("box is %g wide and %g high; use positive sizes", v[2], v[3])
	}
	return Box{v[0], v[1], v[2], v[3]}, nil
}

func pose(points [][]float32) ([]Keypoint, error) {
	if len(points) == 0 {
		return nil, nil
	}
	if len(points) != PoseLen {
		return nil, fmt.Errorf("pose has %d points; use %d or none", len(points), PoseLen)
	}
	result := make([]Keypoint, PoseLen)
	for i, p := range points {
		if len(p) != 3 || p[2] < 0 || p[2] > 1 {
			return nil, fmt.Errorf("pose[%d] is %g; use [x, y, confidence], the last 0 to 1", i, p)
		}
		for _, c := range p[:2] {
			if err := coordinate("pose", c); err != nil {
				return nil, err
			}
		}
		result[i] = Keypoint{p[0], p[1], p[2]}
	}
	return result, nil
}

func coordinate(key string, v float32) error {
	if v < minCoordinate || v > maxCoordinate {
		return fmt.Errorf("%s has the coordinate %g; use fractions of the picture, 0 to 1", key, v)
	}
	return nil
}

func text(key, value string) (string, error) {
	value = norm.NFC.String(value)
	if n := utf8.RuneCountInString(value); n > maxText {
		return "", fmt.Errorf("%s has %d characters; use at most %d", key, n, maxText)
	}
	for _, r := range value {
		if unicode.IsControl(r) {
			return "", fmt.Errorf("%s has the control character %U", key, r)
		}
	}
	return value, nil
}
