package camera

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"wimz.dev/live/robot/internal/camera/internal/child"
)

const (
	// rpicamStart is how long the program may take for its first picture: it finds
	// and starts the sensor, on a small machine slowly. rpicamStall is how long it may
	// give none after that.
	rpicamStart = 10 * time.Second
	rpicamStall = 2 * time.Second
	// rpicamAlign is what the length of a row of luma is a multiple of, in bytes.
	rpicamAlign = 64
)

// Rpicam is a Raspberry Pi's own camera, which is no device that could be opened:
// the system's program rpicam-vid writes its pictures into a pipe, raw and full
// range. The program is watched over: one that stalls is ended, and whatever ends
// it is an error of the reader; opening the camera again starts it anew. It
// implements [Driver].
//
// A picture's time is when its first byte arrived, which the program writes as soon
// as the sensor has been read out: some 10 ms after the light came in.
type Rpicam struct {
	Program string   // rpicam-vid, or libcamera-vid on older systems
	Args    []string // further arguments

	anySize
	stall time.Duration // rpicamStall if 0

	mu        sync.Mutex
	open      bool
	recording *recording // nil while there is none
}

// Open implements driver.Adapter.
func (c *Rpicam) Open() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		return errors.New("the camera is open already")
	}
	c.open = true
	return nil
}

// Close implements driver.Adapter. It returns when the program has ended, within
// little more than a second.
func (c *Rpicam) Close() error {
	c.mu.Lock()
	r := c.recording
	c.open, c.recording = false, nil
	c.mu.Unlock()
	if r != nil {
		r.close()
	}
	return nil
}

// VideoRecord implements driver.VideoRecorder.
func (c *Rpicam) VideoRecord(p prop.Media) (video.Reader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open || c.recording != nil {
		return nil, errors.New("the camera is not open, or records already")
	}
	if p.Width <= 0 || p.Height <= 0 || p.FrameRate <= 0 {
		return nil, errors.New("the camera needs a size and a frame rate")
	}
	program, err := child.Start(c.Program, c.arguments(p)...)
	if err != nil {
		return nil, c.notStarted(err)
	}
	stall := c.stall
	if stall == 0 {
		stall = rpicamStall
	}
	stride := (p.Width + rpicamAlign - 1) / rpicamAlign * rpicamAlign
	c.recording = record(program, rawPictures{
		ring:  newRingOf(image.Pt(p.Width, p.Height), stride),
		pause: time.Duration(float64(time.Second) / float64(p.FrameRate) / 2),
		limit: rpicamStart,
		stall: stall,
	})
	return c.recording, nil
}

// arguments are those of the program: no preview, no end, a raw picture at once.
func (c *Rpicam) arguments(p prop.Media) []string {
	return append([]string{
		"-n", "-t", "0",
		"--width", strconv.Itoa(p.Width), "--height", strconv.Itoa(p.Height),
		"--framerate", strconv.FormatFloat(float64(p.FrameRate), 'f', -1, 32),
		"--codec", "yuv420", "--flush", "1", "-o", "-",
	}, c.Args...)
}

func (c *Rpicam) notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not installed: run apt install rpicam-apps, "+
			"or set camera.rpicam.program to libcamera-vid if this is an older system", c.Program)
	}
	return err
}

// recording is a program that runs, and the goroutine that takes its pictures as
// fast as they come: the program gives its buffer back to the sensor before it has
// written it.
type recording struct {
	program *child.Child
	newest  newest
	closing chan struct{}
	close   func()
	done    chan struct{}
	err     error // valid once done is closed
}

func record(program *child.Child, pictures rawPictures) *recording {
	r := &recording{program: program, newest: newNewest(), closing: make(chan struct{}), done: make(chan struct{})}
	closed := sync.OnceFunc(func() { close(r.closing) })
	r.close = func() {
		closed()
		program.Stop()
		<-r.done
	}
	go func() {
		defer close(r.done)
		r.err = r.drain(&pictures)
	}()
	return r
}

// drain returns why there are no more pictures; the program has ended then.
func (r *recording) drain(pictures *rawPictures) error {
	defer r.program.Stdout.Close() //nolint:errcheck // it is only read
	conn, err := r.program.Stdout.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) { pictures.fd = int(fd) })
	}
	for err == nil {
		var p *timedPicture
		if p, err = pictures.next(); err == nil {
			r.newest.put(p)
		}
	}
	select {
	case <-r.closing:
		r.program.Stop()
		return io.EOF
	default:
		return explain(r.program.Lost(err))
	}
}

// Read implements video.Reader.
func (r *recording) Read() (image.Image, func(), error) {
	select {
	case p := <-r.newest:
		return p, p.release, nil
	case <-r.done:
		return nil, nil, r.err
	}
}

// explain adds to an error what to do about it.
func explain(err error) error {
	text := strings.ToLower(err.Error())
	for _, known := range remedies() {
		if strings.Contains(text, known.words) {
			return fmt.Errorf("%w: %s", err, known.remedy)
		}
	}
	return err
}

// remedy is what helps against an error.
type remedy struct{ words, remedy string }

// remedies are for what rpicam-vid says most often.
func remedies() []remedy {
	const inUse = "another program has the camera: stop it, or let it send its pictures (camera.source: feed)"
	return []remedy{
		{"no cameras available", "see whether rpicam-hello --list-cameras finds it; check the ribbon cable with the power off"},
		{"failed to acquire camera", inUse},
		{"resource busy", inUse},
		{"permission denied", "add the robot's user to the group video"},
		{"unrecognised option", "see camera.rpicam.args"},
	}
}
