// Package y4m reads raw video in YUV4MPEG2, the format of mjpegtools' yuv4mpeg(5):
// a line that describes the pictures, then each picture's planes after a line of its
// own. Only 4:2:0 with 8 bits is taken, which is what almost all such clips are.
package y4m

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	magic   = "YUV4MPEG2"
	maxLine = 1024
	maxSide = 4096 // pixels
)

// Header describes the pictures of a clip.
type Header struct {
	Width, Height int     // pixels, even
	FPS           float64 // 0 if the clip does not say
	FullRange     bool    // luma is 0…255, not 16…235
}

// Reader reads one clip, once.
type Reader struct {
	Header
	buffer *bufio.Reader
}

// NewReader reads the clip's first line.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{buffer: bufio.NewReaderSize(from, maxLine)}
	line, err := r.line()
	if err != nil {
		return nil, fmt.Errorf("the clip's first line: %w", err)
	}
	fields := strings.Fields(string(line))
	if len(fields) == 0 || fields[0] != magic {
		return nil, errors.New("the clip is no YUV4MPEG2")
	}
	for _, field := range fields[1:] {
		if err := r.parameter(field[0], field[1:]); err != nil {
			return nil, err
		}
	}
	if !validSide(r.Width) || !validSide(r.Height) {
		return nil, fmt.Errorf("the clip's pictures are %dx%d; both must be even and at most %d", r.Width, r.Height, maxSide)
	}
	return r, nil
}

func validSide(n int) bool { return n > 0 && n <= maxSide && n%2 == 0 }

func (r *Reader) parameter(key byte, value string) (err error) {
	switch key {
	case 'W':
		r.Width, err = strconv.Atoi(value)
	case 'H':
		r.Height, err = strconv.Atoi(value)
	case 'F':
		r.FPS, err = ratio(value)
	case 'C':
		switch value {
		case "420", "420jpeg", "420mpeg2", "420paldv":
		default:
			return fmt.Errorf("the clip's pictures are %.20q; only 4:2:0 with 8 bits is understood", value)
		}
	case 'X':
		if value == "COLORRANGE=FULL" {
			r.FullRange = true
		}
	}
	if err != nil {
		return fmt.Errorf("the clip's first line has %q", fmt.Sprintf("%c%.20s", key, value))
	}
	return nil
}

// ratio reads N:D; 0:0 is unknown.
func ratio(text string) (float64, error) {
	above, below, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(above, 10, 31)
	if err != nil {
		return 0, err
	}
	d, err := strconv.ParseUint(below, 10, 31)
	if err != nil || d == 0 {
		return 0, err
	}
	return float64(n) / float64(d), nil
}

// line returns the next line without its end; it is valid until the next call.
func (r *Reader) line() ([]byte, error) {
	line, err := r.buffer.ReadSlice('\n')
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("it has more than %d bytes", maxLine)
	case len(line) > 0 && errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	default:
		return nil, err
	}
}

// Size is how many bytes a picture has: the planes Y, Cb and Cr, without gaps.
func (h Header) Size() int { return h.Width * h.Height * 3 / 2 }

// Next reads the next picture into planes, which has room for [Header.Size] bytes.
// It returns io.EOF at the clip's end, and [io.ErrUnexpectedEOF] if that is in the
// middle of a picture.
func (r *Reader) Next(planes []byte) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	if keyword, _, _ := bytes.Cut(line, []byte(" ")); string(keyword) != "FRAME" {
		return errors.New("the clip is damaged: a picture does not begin with FRAME")
	}
	_, err = io.ReadFull(r.buffer, planes[:r.Size()])
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
