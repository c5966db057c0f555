// Command fakerpicam behaves like rpicam-vid, well or badly, for tests: it writes
// the stamped test picture as raw I420 of the size and rate it is asked for.
//
// The directory RPICAM_FAKE, or that of the program as it is called, has what it is
// to do in a file named script: a line for each start, the last one for all further
// ones. A line is a trick:
//
//	ok        nothing bad
//	late      nothing bad, but the first picture comes after a second
//	half      every second picture only
//	bursts    five pictures at once, after five intervals
//	tears     every fourth picture lacks its end and the next one follows at once
//	shorts    every fourth picture lacks its end, the next one follows in its time
//	longs     every fourth picture has something behind its end
//	stall     five pictures, then nothing; it ends when it is asked to
//	deaf      five pictures, then nothing; SIGINT and SIGTERM never end it
//	family    five pictures, then nothing; and so does a child of it that has the
//	          same output and is deaf
//	truncate  five pictures and a half, then it ends
//	die       five pictures, then it ends as one that has lost the camera
//	none      no picture: there is no camera
//	garbage   five pictures, then anything but, without a pause
//	chatter   nothing bad, but it writes a lot to standard error
//
// Each start leaves a file start.N with its process number and arguments there.
//
// Beside the stamp at its lower edge a picture has its number in its first four
// bytes and in its last four, in network order.
package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"image"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wimz.dev/live/robot/testpattern"
)

// soon is after how many pictures most tricks begin.
const soon = 5

func main() {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		deaf()
		forever()
	}
	fmt.Fprintf(os.Stderr, "ERROR: *** %v ***\n", run())
	os.Exit(255)
}

// run runs until it fails.
func run() error {
	flags := flag.NewFlagSet("rpicam-vid", flag.ContinueOnError)
	var (
		_      = flags.Bool("n", false, "no preview")
		_      = flags.String("t", "", "how long; 0 is for ever")
		_      = flags.String("flush", "", "write each picture at once")
		_      = flags.String("rotation", "", "of the camera")
		width  = flags.Int("width", 640, "of the pictures")
		height = flags.Int("height", 480, "of the pictures")
		rate   = flags.Float64("framerate", 30, "of the pictures")
		codec  = flags.String("codec", "h264", "what to write")
		output = flags.String("o", "", "where to write")
	)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return fmt.Errorf("unrecognised option: %w", err)
	}
	if *codec != "yuv420" || *output != "-" {
		return fmt.Errorf("codec %s and output %s are not what robots ask for", *codec, *output)
	}
	trick, err := begin(cmp.Or(os.Getenv("RPICAM_FAKE"), filepath.Dir(os.Args[0])))
	if err != nil {
		return err
	}
	if trick == "deaf" {
		deaf()
	}
	s := newSensor(*width, *height, *rate)
	for {
		if err := s.shoot(trick); err != nil {
			return err
		}
	}
}

// begin leaves a trace of this start and returns its trick.
func begin(dir string) (string, error) {
	script, err := os.ReadFile(filepath.Join(dir, "script")) //nolint:gosec // G304: the test names it
	if err != nil {
		return "", err
	}
	tricks := strings.Fields(string(script))
	for n := 0; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("start.%d", n))
		trace, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // G304: likewise
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = fmt.Fprintf(trace, "%d %s\n", os.Getpid(), strings.Join(os.Args[1:], " "))
		return tricks[min(n, len(tricks)-1)], errors.Join(err, trace.Close())
	}
}

// sensor takes pictures in time.
type sensor struct {
	painter *testpattern.Painter
	picture *image.YCbCr // rows as far apart as the real program has them
	memory  []byte       // of the picture
	pending []byte       // not written yet
	ticks   *time.Ticker
	number  uint32
}

func newSensor(width, height int, rate float64) *sensor {
	stride := (width + 63) / 64 * 64
	luma := stride * height
	memory := make([]byte, luma*3/2)
	return &sensor{
		painter: testpattern.NewPainter(width, height),
		picture: &image.YCbCr{
			Y: memory[:luma], Cb: memory[luma : luma*5/4], Cr: memory[luma*5/4:], YStride: stride, CStride: stride / 2,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, width, height),
		},
		memory: memory,
		ticks:  time.NewTicker(time.Duration(float64(time.Second) / rate)),
	}
}

// shoot takes the next picture, and writes it as the trick has it.
func (s *sensor) shoot(trick string) error {
	if s.number == 0 && trick == "late" {
		<-time.After(time.Second)
	}
	if s.number == soon {
		if err := s.spoil(trick); err != nil {
			return err
		}
	}
	<-s.ticks.C
	s.painter.Draw(s.picture, testpattern.Stamp{Number: s.number, Captured: time.Now()})
	binary.BigEndian.PutUint32(s.memory, s.number)
	binary.BigEndian.PutUint32(s.memory[len(s.memory)-4:], s.number)
	s.number++
	return s.write(trick)
}

// write writes the picture, or keeps it for later, as it is or not.
func (s *sensor) write(trick string) error {
	fourth := s.number%4 == 0
	part := s.memory
	switch {
	case trick == "none":
		return errors.New("no cameras available")
	case trick == "half" && s.number%2 == 0:
		return nil
	case (trick == "tears" || trick == "shorts") && fourth:
		part = part[:len(part)/3]
	case trick == "longs" && fourth:
		s.pending = append(s.pending, part...)
		part = part[:len(part)/3]
	}
	if s.pending = append(s.pending, part...); trick == "tears" && fourth || trick == "bursts" && s.number%5 != 0 {
		return nil
	}
	if trick == "chatter" {
		fmt.Fprintln(os.Stderr, strings.Repeat("#0 (15.00 fps) ", 1000))
	}
	_, err := os.Stdout.Write(s.pending)
	s.pending = s.pending[:0]
	return err
}

// spoil does what goes wrong for good.
func (s *sensor) spoil(trick string) error {
	switch trick {
	case "family":
		child := exec.CommandContext(context.Background(), "/proc/self/exe", "child")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return err
		}
		forever()
	case "stall", "deaf":
		forever()
	case "truncate":
		_, err := os.Stdout.Write(s.memory[:len(s.memory)/2])
		if err == nil {
			os.Exit(0)
		}
		return err
	case "die":
		fmt.Fprintln(os.Stderr, "[0:07:12] INFO RPI pisp.cpp:1222 Registered camera")
		return errors.New("camera frontend has timed out")
	case "garbage":
		for {
			if _, err := os.Stdout.Write(s.memory[:12345]); err != nil {
				return err
			}
		}
	}
	return nil
}

// deaf lets nothing but SIGKILL end this process.
func deaf() { signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) }

func forever() { <-time.After(time.Hour) }
