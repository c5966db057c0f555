package camera

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

const (
	// maxPatience is the longest pause before a camera that fails again and again
	// is opened once more.
	maxPatience = 8 * time.Second
	// goodTime is how long a camera must have given pictures to count as well.
	goodTime = 10 * time.Second
)

// patient is a camera that is opened again after a failure at once, after a second
// failure in a row a second later, then after two, four, eight: a program that
// cannot run is not started all the time.
type patient struct {
	Source

	mu       sync.Mutex
	failures int
	until    time.Time // not opened before
}

// Open implements [Source].
func (p *patient) Open(ctx context.Context, f Format) (Reader, error) {
	p.mu.Lock()
	pause := time.Until(p.until)
	p.mu.Unlock()
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	r, err := p.Source.Open(ctx, f)
	if err != nil {
		if ctx.Err() == nil { // else it was only not waited for
			p.failed(time.Now())
		}
		return nil, err
	}
	return &patientReader{Reader: r, camera: p, opened: time.Now()}, nil
}

// failed notes that a camera which was opened at a moment is lost.
func (p *patient) failed(opened time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(opened) >= goodTime {
		p.failures = 0
	}
	if p.failures++; p.failures > 1 {
		p.until = time.Now().Add(min(maxPatience, time.Second<<min(p.failures-2, 10)))
	}
}

// patientReader is an open camera whose loss is noted.
type patientReader struct {
	Reader
	camera *patient
	opened time.Time
}

// Read implements [Reader].
func (r *patientReader) Read() (Frame, error) {
	f, err := r.Reader.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		r.camera.failed(r.opened)
	}
	return f, err
}
