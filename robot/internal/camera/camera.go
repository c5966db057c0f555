// Package camera is where pictures come from. A camera is a mediadevices
// driver: what that project has drivers for can be used as it is, and ours are
// written to the same two interfaces. Nothing is registered anywhere: whoever
// wants a camera asks [New] for it by name.
package camera

import (
	"context"
	"fmt"
	"image"
	"time"
)

// Format is what a camera is asked for.
type Format struct {
	Width, Height int // pixels
	FPS           int // frames per second
}

// Frame is one picture. Its memory is the camera's: it may be read, by any
// number of goroutines, until Release is called, and then no more.
type Frame struct {
	Image    *image.YCbCr // 4:2:0, luma 16…235
	Captured time.Time    // with a monotonic reading
	// Release gives the memory back. It is called once, from any goroutine. A
	// frame that is never released costs an allocation, nothing else.
	Release func()
}

// Source is a camera that can be opened, by one reader at a time.
type Source interface {
	// Open starts the camera. It may take a while (sensors warm up) and gives
	// up when ctx ends.
	Open(ctx context.Context, f Format) (Reader, error)
}

// Reader is an open camera.
type Reader interface {
	// Read waits for the next picture. It returns io.EOF after Close, and any
	// other error when the camera is lost; it is then closed and opened again.
	// One goroutine calls Read.
	Read() (Frame, error)
	// Close stops the camera and ends a Read that waits. It may be called at
	// any time, more than once, from any goroutine.
	Close() error
}

// New returns the camera of the given name; it is not opened yet.
func New(name string) (Source, error) {
	switch name {
	case "synthetic":
		return FromDriver(&Synthetic{}), nil
	default:
		return nil, fmt.Errorf("unknown camera %q; use synthetic", name)
	}
}
