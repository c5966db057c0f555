package camera

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"wimz.dev/live/robot/internal/camera/internal/child"
	"wimz.dev/live/robot/internal/camera/internal/i420"
	"wimz.dev/live/robot/internal/camera/internal/y4m"
	"wimz.dev/live/robot/internal/config"
)

// ffmpegStall is how long ffmpeg may take for a picture.
const ffmpegStall = 10 * time.Second

// maxRate is the fastest a clip may say it is, in pictures per second: those that are
// left out are read all the same.
const maxRate = 1000

// file is a camera that shows a clip over and over: raw video (.y4m) as it is, any
// other through the program ffmpeg. It can be open any number of times.
type file struct{ config.File }

// Open implements [Source].
func (s file) Open(ctx context.Context, f Format) (Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	open := s.raw
	if !strings.EqualFold(filepath.Ext(s.Path), ".y4m") {
		open = s.decoded
	}
	c, err := open(ctx, f)
	if err != nil {
		return nil, err
	}
	rate := cmp.Or(s.FPS, c.FPS)
	if rate <= 0 || rate > maxRate {
		return nil, errors.Join(fmt.Errorf("%s says it has %g pictures a second; set camera.file.fps", s.Path, rate), c.close())
	}
	shown := min(rate, float64(f.FPS))
	return &projector{
		clip: c, pace: rate / shown, beat: newMetronome(shown),
		pictures: newRing(image.Pt(f.Width, f.Height)), closed: make(chan struct{}),
	}, nil
}

// clip is raw video that is being read.
type clip struct {
	*y4m.Reader
	rewind func() error // nil if it has no end
	begin  func() error // called before each picture
	lost   func(error) error
	close  func() error
}

// raw opens a clip whose pictures are there as they are.
func (s file) raw(_ context.Context, f Format) (*clip, error) {
	from, err := os.Open(s.Path)
	if err != nil {
		return nil, fmt.Errorf("%w; see camera.file.path", err)
	}
	c := &clip{
		begin: func() error { return nil },
		lost:  func(err error) error { return fmt.Errorf("%s: %w", s.Path, err) },
		close: sync.OnceValue(from.Close),
	}
	c.rewind = func() (err error) {
		if _, err = from.Seek(0, io.SeekStart); err == nil {
			c.Reader, err = y4m.NewReader(from)
		}
		if err == nil && (c.Width != f.Width || c.Height != f.Height) {
			err = fmt.Errorf("its pictures are %dx%d, and webrtc.video asks for %dx%d: "+
				"change that, or convert it with ffmpeg -i CLIP -vf scale=%d:%d NEW.y4m",
				c.Width, c.Height, f.Width, f.Height, f.Width, f.Height)
		}
		return err
	}
	if err = c.rewind(); err != nil {
		return nil, errors.Join(c.lost(err), c.close())
	}
	return c, nil
}

// decoded starts ffmpeg, which decodes a clip and scales its pictures, over and
// over. It waits while nobody reads.
func (s file) decoded(ctx context.Context, f Format) (*clip, error) {
	if _, err := os.Stat(s.Path); err != nil {
		return nil, fmt.Errorf("%w; see camera.file.path", err)
	}
	program, err := child.Start("ffmpeg", "-nostdin", "-v", "error",
		"-stream_loop", "-1", "-i", "file:"+s.Path, "-map", "0:v:0",
		"-vf", fmt.Sprintf("scale=%d:%d:out_range=full", f.Width, f.Height), "-pix_fmt", "yuvj420p",
		"-f", "yuv4mpegpipe", "-")
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("ffmpeg is needed for %s and is not installed: run apt install ffmpeg, or use a .y4m file", s.Path)
		}
		return nil, err
	}
	defer context.AfterFunc(ctx, program.Stop)()
	c := &clip{
		begin: func() error { return program.Stdout.SetReadDeadline(time.Now().Add(ffmpegStall)) },
		lost: func(err error) error {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("no picture for %s", ffmpegStall)
			}
			return program.Lost(err)
		},
		close: sync.OnceValue(func() error {
			program.Stop()
			return program.Stdout.Close()
		}),
	}
	if err = c.begin(); err == nil {
		c.Reader, err = y4m.NewReader(program.Stdout)
	}
	if err == nil && (c.Width != f.Width || c.Height != f.Height) {
		err = fmt.Errorf("ffmpeg gives pictures of %dx%d", c.Width, c.Height)
	}
	if err != nil {
		return nil, errors.Join(c.lost(err), c.close())
	}
	return c, nil
}

// projector shows a clip in its time. Of one that is faster than asked for, some
// pictures are left out.
type projector struct {
	clip     *clip
	pace     float64 // pictures of the clip for each that is shown, at least 1
	due      float64 // pictures to read before the next is shown
	beat     *metronome
	pictures *ring
	closed   chan struct{}
	end      sync.Once
}

// Read implements [Reader].
func (p *projector) Read() (Frame, error) {
	if !p.beat.wait(p.closed) {
		return Frame{}, io.EOF
	}
	picture := p.pictures.take()
	skip, rest := math.Modf(p.due)
	for range int(skip) + 1 {
		if err := p.next(picture.memory); err != nil {
			picture.release()
			select {
			case <-p.closed:
				return Frame{}, io.EOF
			default:
				return Frame{}, p.clip.lost(err)
			}
		}
	}
	p.due = rest + p.pace - 1
	if !p.clip.FullRange {
		luma := p.clip.Width * p.clip.Height
		i420.FromLimited(picture.memory[:luma], picture.memory[luma:])
	}
	return Frame{Image: &picture.YCbCr, Captured: time.Now(), Release: picture.release}, nil
}

// next reads the next picture. After the last comes the first; one that is cut off
// at the end of the file is left out.
func (p *projector) next(planes []byte) error {
	err := p.clip.begin()
	if err == nil {
		err = p.clip.Next(planes)
	}
	if p.clip.rewind == nil || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if err = p.clip.rewind(); err == nil {
		err = p.clip.Next(planes)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("there is no whole picture in it")
	}
	return err
}

// Close implements [Reader].
func (p *projector) Close() (err error) {
	p.end.Do(func() {
		close(p.closed)
		err = p.clip.close()
	})
	return err
}
