package camera_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/testpattern"
)

// patience bounds what is waited for.
const patience = 20 * time.Second

// fakeProgram is where TestMain has built the fake rpicam-vid.
var fakeProgram string

func buildFake() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "fakerpicam"); err != nil {
		return "", err
	}
	fakeProgram = filepath.Join(dir, "rpicam-vid")
	out, err := exec.Command("go", "build", "-o", fakeProgram, "./cmd/fakerpicam").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return dir, err
}

// fake is a camera whose program plays tricks, one for each start.
type fake struct {
	*testing.T
	dir    string
	camera *camera.Rpicam
	source camera.Source
}

func newFake(t *testing.T, tricks ...string) *fake {
	t.Helper()
	f := &fake{T: t, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(f.dir, "script"), []byte(strings.Join(tricks, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	f.camera = &camera.Rpicam{Program: filepath.Join(f.dir, "rpicam-vid")}
	if err := os.Symlink(fakeProgram, f.camera.Program); err != nil {
		t.Fatal(err)
	}
	f.camera.SetStall(patience) // this machine may be busy
	f.source = camera.FromDriver(f.camera)
	t.Cleanup(f.mustBeGone)
	return f
}

// open opens the camera: with rows that are padded.
func (f *fake) open() camera.Reader {
	f.Helper()
	r, err := f.source.Open(f.Context(), camera.Format{Width: 336, Height: 192, FPS: 30})
	if err != nil {
		f.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = r.Close() })
	f.Cleanup(func() {
		late.Stop()
		_ = r.Close()
	})
	return r
}

// read returns the number of the next picture, which is all of one.
func (f *fake) read(r camera.Reader) (uint32, error) {
	f.Helper()
	frame, err := r.Read()
	if err != nil {
		return 0, err
	}
	defer frame.Release()
	stamp, err := testpattern.Read(frame.Image)
	if err != nil {
		f.Fatal("a picture without a stamp:", err)
	}
	top := binary.BigEndian.Uint32(frame.Image.Y)
	bottom := binary.BigEndian.Uint32(frame.Image.Cr[len(frame.Image.Cr)-4:])
	if stamp.Number != top || stamp.Number != bottom {
		f.Fatalf("a torn picture: number %d at the top, %d in the stamp, %d at the bottom", top, stamp.Number, bottom)
	}
	if late := frame.Captured.Sub(stamp.Captured); late < 0 || late > patience {
		f.Errorf("picture %d is said to be %v younger than it is", stamp.Number, late)
	}
	return stamp.Number, nil
}

// numbers reads so many pictures.
func (f *fake) numbers(r camera.Reader, count int) []uint32 {
	f.Helper()
	got := make([]uint32, count)
	for i := range got {
		var err error
		if got[i], err = f.read(r); err != nil {
			f.Fatalf("after %v: %v", got[:i], err)
		}
		if i > 0 && got[i] <= got[i-1] {
			f.Fatalf("the pictures' numbers are %v", got[:i+1])
		}
	}
	return got
}

// lost reads until the camera is lost.
func (f *fake) lost(r camera.Reader) error {
	f.Helper()
	for range 1000 {
		if _, err := f.read(r); err != nil {
			return err
		}
	}
	f.Fatal("the camera is not lost")
	return nil
}

// starts returns the process numbers and arguments of all programs.
func (f *fake) starts() (lines []string) {
	f.Helper()
	traces, err := filepath.Glob(filepath.Join(f.dir, "start.*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, trace := range traces {
		text, err := os.ReadFile(trace)
		if err != nil {
			f.Fatal(err)
		}
		lines = append(lines, strings.TrimSpace(string(text)))
	}
	return lines
}

// mustBeGone says that no process of any program's group is left, not even as a
// zombie.
func (f *fake) mustBeGone() {
	for _, line := range f.starts() {
		var group int
		if _, err := fmt.Sscan(line, &group); err != nil {
			f.Fatal(err)
		}
		for begin := time.Now(); syscall.Kill(-group, 0) == nil; {
			if time.Since(begin) > patience {
				f.Fatalf("something of %q still runs, or is a zombie", line)
			}
		}
	}
}

func TestRpicam(t *testing.T) {
	f := newFake(t, "ok")
	t.Setenv("RPICAM_FAKE", f.dir)
	t.Setenv("PATH", filepath.Dir(fakeProgram)+":"+os.Getenv("PATH"))
	f.camera.Program = "rpicam-vid"
	r := f.open()
	got := f.numbers(r, 10)
	if first := got[0]; first > 3 {
		t.Errorf("the first picture is number %d", first)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if err := f.lost(r); !errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
	_, arguments, _ := strings.Cut(f.starts()[0], " ")
	if want := "-n -t 0 --width 336 --height 192 --framerate 30 --codec yuv420 --flush 1 -o -"; arguments != want {
		t.Errorf("called with %s", arguments)
	}
}

// TestRpicamGoesOn has programs that write badly and yet go on.
func TestRpicamGoesOn(t *testing.T) {
	for trick, never := range map[string]uint32{ // the remainder of four that is never seen
		"late": 9, "half": 9, "bursts": 9, "tears": 3, "shorts": 3, "longs": 9, "chatter": 9,
	} {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, trick)
			for _, n := range f.numbers(f.open(), 12) {
				if n%4 == never {
					t.Errorf("number %d was shown, which was torn", n)
				}
				if trick == "bursts" && n%5 != 4 {
					t.Errorf("number %d was shown, which was not the newest", n)
				}
			}
		})
	}
}

// TestRpicamIsDrained reads so rarely that more pictures must have been left out
// than a pipe holds: a program that has to wait for its reader would not have taken
// them.
func TestRpicamIsDrained(t *testing.T) {
	t.Parallel()
	f := newFake(t, "ok")
	r := f.open()
	last := f.numbers(r, 1)[0]
	for wait := 50 * time.Millisecond; wait < patience; wait *= 2 {
		<-time.After(wait)
		n := f.numbers(r, 1)[0] // the newest
		if n > last+20 {
			return
		}
		last = n
	}
	t.Error("no picture was left out")
}

// TestRpicamIsLostAndFoundAgain has programs that stop working.
func TestRpicamIsLostAndFoundAgain(t *testing.T) {
	for trick, words := range map[string]string{
		"stall":    "rpicam-vid: no whole picture for 500ms",
		"deaf":     "no whole picture for 500ms",
		"family":   "no whole picture for 500ms",
		"garbage":  "no whole picture for 500ms",
		"truncate": "rpicam-vid: exit status 0",
		"die":      "rpicam-vid: exit status 255: ERROR: *** camera frontend has timed out ***",
		"none":     "ERROR: *** no cameras available ***: see whether rpicam-hello --list-cameras finds it",
	} {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, trick, "ok")
			if strings.Contains(words, "no whole picture") {
				f.camera.SetStall(500 * time.Millisecond)
			}
			r := f.open()
			if err := f.lost(r); !strings.Contains(err.Error(), words) {
				t.Errorf("lost because %q, want %q", err, words)
			}
			f.mustBeGone() // with the error, before anybody closes
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			f.camera.SetStall(patience)
			if again := f.numbers(f.open(), 5); again[0] > 3 {
				t.Errorf("the next program's pictures are %v", again)
			}
		})
	}
}

// TestRpicamClosesInTime closes programs in the middle of their tricks, as a viewer
// who leaves does.
func TestRpicamClosesInTime(t *testing.T) {
	for _, trick := range []string{"ok", "deaf", "family", "garbage"} {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, trick)
			r := f.open()
			f.numbers(r, 1)
			ended := make(chan error, 1)
			go func() { ended <- f.lost(r) }()
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, io.EOF) {
				t.Errorf("Read ended with %v", err)
			}
		})
	}
}

func TestRpicamNeedsARate(t *testing.T) {
	if _, err := camera.FromDriver(&camera.Rpicam{}).Open(t.Context(), camera.Format{Width: 320, Height: 192}); err == nil {
		t.Error("opened")
	}
}

func TestRpicamIsNotInstalled(t *testing.T) {
	_, err := camera.FromDriver(&camera.Rpicam{Program: "no-such-program"}).Open(t.Context(), small)
	if err == nil || !strings.Contains(err.Error(), "apt install rpicam-apps") {
		t.Errorf("got %v", err)
	}
}

func TestRpicamTakesArguments(t *testing.T) {
	f := newFake(t, "ok")
	for argument, words := range map[string]string{"--rotation=180": "", "--rotate": "see camera.rpicam.args"} {
		f.camera.Args = []string{argument}
		r := f.open()
		if _, err := f.read(r); (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", argument, err)
		}
		_ = r.Close()
	}
}

// BenchmarkRpicam reads 720p from a pipe as fast as they come.
func BenchmarkRpicam(b *testing.B) {
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	pictures := camera.NewRawPictures(read, image.Pt(1280, 720))
	one := make([]byte, 1280*720*3/2)
	b.SetBytes(int64(len(one)))
	turn := make(chan struct{})
	go func() {
		defer write.Close() //nolint:errcheck // it was written to
		for range turn {
			_, _ = write.Write(one)
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		turn <- struct{}{}
		if err := pictures(); err != nil {
			b.Fatal(err)
		}
	}
	close(turn)
	_ = read.Close()
}
