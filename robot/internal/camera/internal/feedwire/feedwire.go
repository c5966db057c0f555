// Package feedwire is what a program says that sends its pictures to the robot. The
// bytes are described in robot/camera/feed/README.md.
package feedwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"time"
)

// HeaderLen is the length of a message's header in bytes.
const HeaderLen = 24

// version is what is spoken here.
const version = 1

// maxSkew and maxAge bound how old a picture may be: it may seem to be from the
// future by what the clocks' resolutions differ by, no more.
const (
	maxSkew = time.Second
	maxAge  = time.Minute
)

// Format is how a picture's bytes are laid out.
type Format uint8

// The formats there are.
const (
	None  Format = 0 // no picture: detections alone
	BGR24 Format = 1 // rows of pixels, each blue, green, red
	I420  Format = 2 // the planes Y, Cb and Cr, full range
)

// Header is the beginning of a message.
type Header struct {
	Format     Format
	Size       image.Point   // of the picture
	Detections int           // bytes of JSON
	Captured   time.Duration // on CLOCK_MONOTONIC; 0 is now
}

// Parse reads a header. wanted is the size pictures must have, maxDetections how
// many bytes of JSON there may be. Errors are words for who wrote the sender.
func Parse(b *[HeaderLen]byte, wanted image.Point, maxDetections int) (Header, error) {
	if string(b[:4]) != "WIMZ" {
		return Header{}, errors.New("the message does not begin with WIMZ: see that those before have the length they say")
	}
	if b[4] != version {
		return Header{}, fmt.Errorf("version is %d; use %d", b[4], version)
	}
	h := Header{
		Format: Format(b[5]),
		Size:   image.Pt(int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))),
	}
	detections, micros := binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint64(b[16:])
	switch {
	case h.Format > I420:
		return Header{}, fmt.Errorf("format is %d; use 0 (no picture), 1 (BGR24) or 2 (I420)", h.Format)
	case h.Format == None && h.Size != image.Point{}:
		return Header{}, fmt.Errorf("size is %dx%d; use 0x0 for no picture", h.Size.X, h.Size.Y)
	case h.Format != None && h.Size != wanted:
		return Header{}, fmt.Errorf("size is %dx%d; send %dx%d, or change webrtc.video in the robot's configuration",
			h.Size.X, h.Size.Y, wanted.X, wanted.Y)
	case binary.LittleEndian.Uint16(b[10:]) != 0:
		return Header{}, errors.New("the bytes 10 and 11 are not zero")
	case uint64(detections) > uint64(max(maxDetections, 0)):
		return Header{}, fmt.Errorf("there are %d bytes of detections; send at most %d", detections, maxDetections)
	case micros > uint64((1<<63-1)/time.Microsecond):
		return Header{}, errNoMonotonic
	}
	h.Detections, h.Captured = int(detections), time.Duration(micros)*time.Microsecond
	return h, nil
}

var errNoMonotonic = errors.New("captured is no time of CLOCK_MONOTONIC within the last minute; " +
	"in Python that is time.monotonic_ns() // 1000")

// PictureLen is how many bytes the picture has.
func (h Header) PictureLen() int {
	switch h.Format {
	case BGR24:
		return h.Size.X * h.Size.Y * 3
	case I420:
		return h.Size.X * h.Size.Y * 3 / 2
	default:
		return 0
	}
}

// Age is how long ago the picture was taken. now is what CLOCK_MONOTONIC says.
func (h Header) Age(now time.Duration) (time.Duration, error) {
	age := now - h.Captured
	switch {
	case h.Captured == 0:
		return 0, nil
	case age < -maxSkew || age > maxAge:
		return 0, errNoMonotonic
	default:
		return max(0, age), nil
	}
}
