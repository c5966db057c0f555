// Package camera is where pictures come from. A camera is a mediadevices
// driver: what that project has drivers for can be used as it is, and ours are
// written to the same two interfaces. Nothing is registered anywhere: whoever
// wants a camera asks [New] for it.
package camera

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"time"

	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/detect"
)

// Format is what a camera is asked for.
type Format struct {
	Width, Height int // pixels
	FPS           int // frames per second
}

// FormatOf returns what a camera is asked for so that there is this video.
func FormatOf(v config.Video) Format { return Format{Width: v.Width, Height: v.Height, FPS: v.FPS} }

// Frame is one picture. Its memory is the camera's: whoever has it may write on
// it, and pass it on to any number of readers, until Release is called, and then
// no more.
type Frame struct {
	Image    *image.YCbCr // 4:2:0, full range (JFIF), strides of any size
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

// server is a camera that has something to do while it is not open.
type server interface {
	serve(ctx context.Context, f Format) error
}

// New returns the camera that c describes; it is not opened yet. What a feed's
// sender sees goes to the board.
func New(c config.Camera, board *detect.Board, log *slog.Logger) (Source, error) {
	switch c.Source {
	case "rpicam":
		return &patient{Source: FromDriver(&Rpicam{Program: c.Rpicam.Program, Args: c.Rpicam.Args})}, nil
	case "v4l2":
		return newV4L2(c.V4L2.Device)
	case "feed":
		return &feed{socket: c.Feed.Socket, silence: feedSilence, board: board, log: log}, nil
	case "file":
		return &patient{Source: file{c.File}}, nil
	case "synthetic":
		return FromDriver(&Synthetic{}), nil
	default:
		return nil, fmt.Errorf("unknown camera %q", c.Source)
	}
}

// Serve does what a camera has to do whether it is open or not, until ctx ends,
// and returns nil then: a feed listens for the program that sends it pictures of
// format f. For most cameras that is nothing.
func Serve(ctx context.Context, s Source, f Format) error {
	if s, ok := s.(server); ok {
		return s.serve(ctx, f)
	}
	<-ctx.Done()
	return nil
}
