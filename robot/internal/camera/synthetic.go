package camera

import (
	"errors"
	"image"
	"io"
	"sync"
	"time"

	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/testpattern"
)

// Synthetic is a camera that looks at the test pattern, at the rate it is
// asked for: each picture carries its number and the time it was taken, so that
// whoever receives it can measure. It implements [Driver].
//
// The zero value is ready. Once prepared for a size it opens again at once.
type Synthetic struct {
	anySize

	mu      sync.Mutex
	closed  chan struct{} // nil while not open
	painter *testpattern.Painter
	size    image.Point // of the painter
}

// Open implements driver.Adapter.
func (s *Synthetic) Open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return errors.New("the synthetic camera is open already")
	}
	s.closed = make(chan struct{})
	return nil
}

// Close implements driver.Adapter. Its reader returns io.EOF from then on.
func (s *Synthetic) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		close(s.closed)
		s.closed = nil
	}
	return nil
}

// VideoRecord implements driver.VideoRecorder.
func (s *Synthetic) VideoRecord(p prop.Media) (video.Reader, error) {
	if p.FrameRate <= 0 || p.Width <= 0 || p.Height <= 0 {
		return nil, errors.New("the synthetic camera needs a size and a frame rate")
	}
	size := image.Pt(p.Width, p.Height)
	s.mu.Lock()
	painter, closed := s.painter, s.closed
	if size != s.size {
		painter = nil
	}
	s.mu.Unlock()
	if closed == nil {
		return nil, errors.New("the synthetic camera is not open")
	}
	if painter == nil { // slow, so not under the lock
		painter = testpattern.NewPainter(size.X, size.Y)
	}
	s.mu.Lock()
	s.painter, s.size = painter, size
	s.mu.Unlock()
	return &canvas{painter: painter, beat: newMetronome(float64(p.FrameRate)), closed: closed, pictures: newRing(size)}, nil
}

// canvas paints one picture per interval.
type canvas struct {
	painter  *testpattern.Painter
	beat     *metronome
	closed   <-chan struct{}
	pictures *ring
	number   uint32
}

// Read implements video.Reader.
func (c *canvas) Read() (image.Image, func(), error) {
	if !c.beat.wait(c.closed) {
		return nil, nil, io.EOF
	}
	p := c.pictures.take()
	p.captured = time.Now()
	c.painter.Draw(&p.YCbCr, testpattern.Stamp{Number: c.number, Captured: p.captured})
	c.number++
	return p, p.release, nil
}
