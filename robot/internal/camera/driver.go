package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/camera/internal/i420"
)

// Driver is a camera in the shape mediadevices gives it. A picture of ours
// carries the time it was taken; for other drivers that is when it arrived.
type Driver interface {
	driver.Adapter
	driver.VideoRecorder
}

// anySize is the part of a [Driver] whose pictures can have any size.
type anySize struct{}

// Properties implements driver.Adapter: 720p15 is what ours are made for.
func (anySize) Properties() []prop.Media {
	return []prop.Media{{Video: prop.Video{Width: 1280, Height: 720, FrameRate: 15, FrameFormat: frame.FormatI420}}}
}

// FromDriver makes a Source of a driver, which it owns from now on.
func FromDriver(d Driver) Source { return source{d} }

type source struct{ driver Driver }

// Open implements [Source].
func (s source) Open(ctx context.Context, f Format) (Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.driver.Open(); err != nil {
		return nil, fmt.Errorf("open the camera: %w", err)
	}
	// A driver's start knows no context, but its Close may be called meanwhile.
	r := &reader{
		close: sync.OnceValue(s.driver.Close), size: image.Pt(f.Width, f.Height),
	}
	stop := context.AfterFunc(ctx, func() { _ = r.Close() })
	defer stop()
	var err error
	r.video, err = s.driver.VideoRecord(prop.Media{Video: prop.Video{
		Width: f.Width, Height: f.Height, FrameRate: float32(f.FPS), FrameFormat: frame.FormatI420,
	}})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the camera: %w", err), r.Close())
	}
	return r, nil
}

type reader struct {
	video  video.Reader
	close  func() error
	size   image.Point // that was asked for
	halved *ring       // for pictures that come in 4:2:2; nil before the first
}

// Read implements [Reader].
func (r *reader) Read() (Frame, error) {
	picture, release, err := r.video.Read()
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Captured: time.Now(), Release: release}
	switch p := picture.(type) {
	case *image.YCbCr:
		f.Image = p
	case *timedPicture:
		f.Image, f.Captured = &p.YCbCr, p.captured
	default:
		release()
		return Frame{}, fmt.Errorf("the camera gave a %T; only YCbCr is understood", picture)
	}
	if err := r.check(f.Image); err != nil {
		release()
		return Frame{}, err
	}
	return r.halve(f), nil
}

func (r *reader) check(p *image.YCbCr) error {
	if p.Rect.Size() != r.size {
		return fmt.Errorf("the camera gave pictures of %v; %v was asked for", p.Rect.Size(), r.size)
	}
	if p.SubsampleRatio != image.YCbCrSubsampleRatio420 && p.SubsampleRatio != image.YCbCrSubsampleRatio422 {
		return fmt.Errorf("the camera gave %s pictures; only 4:2:0 and 4:2:2 are understood", p.SubsampleRatio)
	}
	return nil
}

// halve makes a 4:2:2 picture one of 4:2:0.
func (r *reader) halve(f Frame) Frame {
	if f.Image.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		return f
	}
	if r.halved == nil {
		r.halved = newRing(r.size)
	}
	p := r.halved.take()
	i420.Halve(&p.YCbCr, f.Image)
	f.Release()
	f.Image, f.Release = &p.YCbCr, p.release
	return f
}

// Close implements [Reader].
func (r *reader) Close() error { return r.close() }
