// Package record writes what a viewing receives into a file, as it came: nothing
// is decoded or coded anew. The name says the format: .mkv (H264 or VP8), .ivf
// (VP8) or .h264 (Annex B, which has no times).
package record

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp"
)

// format is a kind of file.
type format struct {
	codec string // the only one it takes; empty: both
	open  func(to *file, first simapp.Coded) (writer, error)
}

// writer writes one file. at is in ticks of [rtc.ClockRate] since the first
// picture, and grows.
type writer interface {
	picture(p simapp.Coded, at int64) error
	close() error
}

func formatOf(name string) (format, error) {
	switch extension := strings.ToLower(filepath.Ext(name)); extension {
	case ".mkv":
		return format{open: openMatroska}, nil
	case ".ivf":
		return format{"vp8", openIVF}, nil
	case ".h264":
		return format{"h264", openAnnexB}, nil
	default:
		return format{}, fmt.Errorf("record: %q is no known kind of file; use .mkv, .ivf or .h264", filepath.Base(name))
	}
}

// Codec returns the only codec that a file of this name can hold, empty if it can
// hold both.
func Codec(name string) (string, error) {
	f, err := formatOf(name)
	return f.codec, err
}

// Recorder writes one file. It is not safe for concurrent use.
type Recorder struct {
	name   string
	format format
	file   *file
	writer writer // nil before the first picture

	newest  uint32 // timestamp
	at      int64
	summary Summary
}

// Summary is what was recorded.
type Summary struct {
	Pictures int
	Duration time.Duration // first picture to last
	Sizes    []image.Point // of the pictures, in the order of their change
}

// Create makes a new file, and replaces none. The recorder must be closed.
func Create(name string) (*Recorder, error) {
	f, err := formatOf(name)
	if err != nil {
		return nil, err
	}
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G304, G302: the user names it, as ffmpeg
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("record: %s is there already; choose another name", name)
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return &Recorder{name: name, format: f, file: &file{to: to}}, nil
}

// Add writes the next picture. The first must be a key picture; any before it is
// left out. After an error the file holds what was written before.
func (r *Recorder) Add(p simapp.Coded) error {
	if r.format.codec != "" && p.Codec != r.format.codec {
		return fmt.Errorf("record: %s cannot hold %s", r.name, p.Codec)
	}
	if r.writer == nil {
		if !p.Key {
			return nil
		}
		w, err := r.format.open(r.file, p)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		r.writer, r.newest = w, p.Timestamp
	}
	// A source that began anew may say an earlier time: it follows at once.
	r.at += int64(max(int32(p.Timestamp-r.newest), 0)) //nolint:gosec // G115: RTP arithmetic, RFC 3550
	r.newest = p.Timestamp
	if err := errors.Join(r.writer.picture(p, r.at), r.file.failure()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r.count(p.Size)
	return nil
}

func (r *Recorder) count(size image.Point) {
	s := &r.summary
	s.Pictures++
	s.Duration = time.Duration(r.at) * time.Second / rtc.ClockRate
	if n := len(s.Sizes); n == 0 || s.Sizes[n-1] != size && n < maxSizes {
		s.Sizes = append(s.Sizes, size)
	}
}

// Summary returns what was recorded so far.
func (r *Recorder) Summary() Summary {
	s := r.summary
	s.Sizes = slices.Clone(s.Sizes)
	return s
}

// maxSizes bounds how many changes of size are told.
const maxSizes = 100

// Close ends the file; one without a picture is removed.
func (r *Recorder) Close() (Summary, error) {
	var err error
	if r.writer != nil {
		err = r.writer.close()
	}
	err = errors.Join(err, r.file.Close(), r.file.failure())
	if r.summary.Pictures == 0 {
		err = errors.Join(err, os.Remove(r.name))
	}
	if err != nil {
		err = fmt.Errorf("record: %w", err)
	}
	return r.summary, err
}
