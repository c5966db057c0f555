package camera_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/testpattern"
)

// clip writes stamped pictures, 0 and up, into a Y4M file.
func clip(t *testing.T, pictures int, parameters string) (path string) {
	t.Helper()
	var text bytes.Buffer
	fmt.Fprintf(&text, "YUV4MPEG2 W%d H%d %s\n", small.Width, small.Height, parameters)
	painter := testpattern.NewPainter(small.Width, small.Height)
	img := image.NewYCbCr(image.Rect(0, 0, small.Width, small.Height), image.YCbCrSubsampleRatio420)
	for n := range pictures {
		painter.Draw(img, testpattern.Stamp{Number: uint32(n)})
		text.WriteString("FRAME\n")
		text.Write(img.Y)
		text.Write(img.Cb)
		text.Write(img.Cr)
	}
	return save(t, "clip.y4m", text.Bytes())
}

func save(t *testing.T, name string, text []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, f config.File) (camera.Reader, error) {
	t.Helper()
	source, err := camera.New(config.Camera{Source: "file", File: f}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := source.Open(t.Context(), small)
	if err == nil {
		t.Cleanup(func() { _ = r.Close() })
	}
	return r, err
}

// numbers reads so many stamps.
func numbers(t *testing.T, r camera.Reader, count int) (got []uint32) {
	t.Helper()
	for range count {
		f, err := r.Read()
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		stamp, err := testpattern.Read(f.Image)
		if err != nil || time.Since(f.Captured) > patience {
			t.Fatalf("after %v: %v, captured %v", got, err, f.Captured)
		}
		got = append(got, stamp.Number)
		f.Release()
	}
	return got
}

func TestClipInALoop(t *testing.T) {
	for name, c := range map[string]struct {
		parameters string
		fps        float64
		want       string
		took       time.Duration // for the pictures after the first
	}{
		"own rate":                   {"F10:1 C420jpeg", 0, "[0 1 2 3 4 0 1]", 600 * time.Millisecond},
		"another rate":               {"F10:1", 5, "[0 1 2 3 4 0 1]", 1200 * time.Millisecond},
		"no rate":                    {"", 15, "[0 1 2 3 4 0 1]", 400 * time.Millisecond},
		"twice as fast as asked for": {"F30:1 XCOLORRANGE=FULL", 0, "[0 2 4 1 3 0 2]", 400 * time.Millisecond},
		"somewhat faster than asked": {"F23:1", 0, "[0 1 3 4 1 2 4]", 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			path := clip(t, 5, c.parameters)
			synctest.Test(t, func(t *testing.T) {
				r, err := openFile(t, config.File{Path: path, FPS: c.fps})
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				if got := fmt.Sprint(numbers(t, r, 7)); got != c.want {
					t.Errorf("showed %s, want %s", got, c.want)
				}
				if took := time.Since(begin); took.Round(time.Millisecond) != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if err := errors.Join(r.Close(), r.Close()); err != nil {
					t.Error(err)
				}
				if _, err := r.Read(); !errors.Is(err, io.EOF) {
					t.Errorf("Read after Close: %v", err)
				}
			})
		})
	}
}

func TestLimitedRangeIsStretched(t *testing.T) {
	for parameters, want := range map[string]byte{"F15:1": 0, "F15:1 XCOLORRANGE=FULL": 16} {
		text := fmt.Sprintf("YUV4MPEG2 W%d H%d %s\nFRAME\n", small.Width, small.Height, parameters)
		picture := bytes.Repeat([]byte{16}, small.Width*small.Height*3/2)
		r, err := openFile(t, config.File{Path: save(t, "clip.y4m", append([]byte(text), picture...))})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := r.Read(); err != nil || f.Image.Y[0] != want || f.Image.Y[len(f.Image.Y)-1] != want {
			t.Errorf("%s: black became %d, %v", parameters, f.Image.Y[0], err)
		}
	}
}

func TestCutOffClip(t *testing.T) {
	path := clip(t, 3, "F15:1")
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-10)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := openFile(t, config.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(numbers(t, r, 4)); got != "[0 1 0 1]" {
		t.Errorf("showed %s", got)
	}
}

func TestBadClips(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"missing":       {"", "", "see camera.file.path"},
		"other size":    {"c.y4m", "YUV4MPEG2 W640 H480 F15:1\n", "its pictures are 640x480, and webrtc.video asks for 320x192"},
		"no rate":       {"c.Y4M", "YUV4MPEG2 W320 H192\n", "set camera.file.fps"},
		"too fast":      {"c.y4m", "YUV4MPEG2 W320 H192 F2000000000:1\n", "says it has 2e+09 pictures a second"},
		"no y4m":        {"c.y4m", "RIFF\n", "no YUV4MPEG2"},
		"no pictures":   {"c.y4m", "YUV4MPEG2 W320 H192 F15:1\n", "no whole picture"},
		"half of one":   {"c.y4m", "YUV4MPEG2 W320 H192 F15:1\nFRAME\nabc", "no whole picture"},
		"damaged":       {"c.y4m", "YUV4MPEG2 W320 H192 F15:1\nabc\n", "is damaged"},
		"no video":      {"c.mp4", "nothing", "ffmpeg: exit status 1: "},
		"missing video": {"", "", "see camera.file.path"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "no.y4m")
			if c.file != "" {
				path = save(t, c.file, []byte(c.text))
			}
			r, err := openFile(t, config.File{Path: path})
			if err == nil {
				_, err = r.Read()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), filepath.Dir(path)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestMP4 makes a clip of another size, and has ffmpeg show it.
func TestMP4(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clip.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", clip(t, 5, "F15:1 XCOLORRANGE=FULL"),
		"-vf", "scale=640:384", "-c:v", "libx264", "-qp", "10", "-pix_fmt", "yuv420p", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s (make setup installs ffmpeg)", err, out)
	}
	r, err := openFile(t, config.File{Path: path, FPS: 30})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(numbers(t, r, 4)); got != "[0 2 4 1]" {
		t.Errorf("showed %s", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
	t.Setenv("PATH", "/nowhere")
	if _, err := openFile(t, config.File{Path: path}); err == nil || !strings.Contains(err.Error(), "apt install ffmpeg") {
		t.Errorf("without ffmpeg: %v", err)
	}
}

// TestFFmpegIsStopped opens a clip for somebody who has left.
func TestFFmpegIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fifo := filepath.Join(t.TempDir(), "never.mp4")
	if out, err := exec.Command("mkfifo", fifo).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	source, err := camera.New(config.Camera{Source: "file", File: config.File{Path: fifo}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := source.Open(ctx, small); err == nil {
		t.Error("opened")
	}
}
