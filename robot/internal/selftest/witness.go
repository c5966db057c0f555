package selftest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"wimz.dev/live/robot/internal/camera"
)

// maxSights bounds what a witness remembers: a minute of 60 fps.
const maxSights = 3600

// witness is a camera that remembers what its pictures look like, before anybody
// draws on them.
type witness struct {
	camera.Source

	mu     sync.Mutex
	sights []thumbnail
}

// Open implements [camera.Source].
func (w *witness) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	reader, err := w.Source.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	return &witnessed{reader, w}, nil
}

type witnessed struct {
	camera.Reader
	witness *witness
}

// Read implements [camera.Reader].
func (r *witnessed) Read() (camera.Frame, error) {
	frame, err := r.Reader.Read()
	if err == nil {
		r.witness.remember(thumbnailOf(frame.Image))
	}
	return frame, err
}

func (w *witness) remember(t thumbnail) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sights) < maxSights {
		w.sights = append(w.sights, t)
	}
}

// contrast is the most that was seen.
func (w *witness) contrast() (most float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.sights {
		most = max(most, w.sights[i].contrast())
	}
	return most
}

// compare says what is wrong with pictures that were decoded of so many. While the
// camera warms up the robot may show words in its place, so half of them have to be
// what the camera saw, and the last.
func (w *witness) compare(decoded []thumbnail, of int) error {
	alike, last := 0, false
	for i := range decoded {
		if last = w.saw(&decoded[i]); last {
			alike++
		}
	}
	if len(decoded) != of || 2*alike < of || !last {
		return fmt.Errorf("%d could be decoded and %d of them show what the camera saw", len(decoded), alike)
	}
	return nil
}

// saw reports whether a picture looks like one of the camera's.
func (w *witness) saw(t *thumbnail) bool {
	const alike = 0.9
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.sights, func(s thumbnail) bool { return likeness(&s, t) >= alike })
}
