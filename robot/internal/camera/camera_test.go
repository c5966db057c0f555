package camera_test

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/testpattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withFake{m}) }

// withFake runs the tests with the fake rpicam-vid built.
type withFake struct{ *testing.M }

func (m withFake) Run() int {
	dir, err := buildFake()
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is in the temporary directory
	return m.M.Run()
}

var small = camera.Format{Width: 320, Height: 192, FPS: 15}

// named returns the camera of that name as it is by default.
func named(source string) (camera.Source, error) {
	c := config.Default().Camera
	c.Source = source
	return camera.New(c, &detect.Board{}, slog.New(slog.DiscardHandler))
}

func open(t *testing.T, f camera.Format) camera.Reader {
	t.Helper()
	source, err := named("synthetic")
	if err != nil {
		t.Fatal(err)
	}
	r, err := source.Open(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestSyntheticRateAndStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, small)
		began := time.Now()
		for number := range uint32(31) {
			f, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			stamp, err := testpattern.Read(f.Image)
			if err != nil || stamp.Number != number || stamp.Captured.UnixMicro() != f.Captured.UnixMicro() {
				t.Fatalf("frame %d is stamped %+v, %v; captured %v", number, stamp, err, f.Captured)
			}
			if f.Image.Rect != image.Rect(0, 0, small.Width, small.Height) {
				t.Fatalf("frame of %v", f.Image.Rect)
			}
			f.Release()
		}
		if took := time.Since(began); took < 1999*time.Millisecond || took > 2001*time.Millisecond {
			t.Errorf("30 intervals took %v", took)
		}
	})
}

func TestReleasedMemoryIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, small)
		first, _ := r.Read()
		held, _ := r.Read()
		if first.Image == held.Image {
			t.Fatal("a frame that is still held was overwritten")
		}
		first.Release()
		if again, _ := r.Read(); again.Image != first.Image {
			t.Error("released memory was not used again")
		}
	})
}

func TestCloseEndsAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, small)
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := r.Read()
			ended <- err
		}()
		synctest.Wait()
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("Read returned %v", err)
		}
	})
}

func TestOneReaderAtATime(t *testing.T) {
	source, _ := named("synthetic")
	r, err := source.Open(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = source.Open(t.Context(), small); err == nil {
		t.Error("opened twice")
	}
	_ = r.Close()
	again, err := source.Open(t.Context(), small)
	if err != nil {
		t.Fatalf("not opened again after Close: %v", err)
	}
	_ = again.Close()
}

func TestOpenRefuses(t *testing.T) {
	source, _ := named("synthetic")
	if _, err := source.Open(t.Context(), camera.Format{}); err == nil {
		t.Error("opened without a size")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Open(ctx, small); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := named("webcam"); err == nil {
		t.Error("there is no webcam")
	}
}

// fixed is a driver that gives one picture.
type fixed struct{ picture image.Image }

func (fixed) Open() error              { return nil }
func (fixed) Close() error             { return nil }
func (fixed) Properties() []prop.Media { return nil }

func (d fixed) VideoRecord(prop.Media) (video.Reader, error) {
	return video.ReaderFunc(func() (image.Image, func(), error) { return d.picture, func() {}, nil }), nil
}

func TestDriversPictures(t *testing.T) {
	size := image.Rect(0, 0, small.Width, small.Height)
	for name, c := range map[string]struct {
		picture image.Image
		ok      bool
	}{
		"4:2:0":   {image.NewYCbCr(size, image.YCbCrSubsampleRatio420), true},
		"4:2:2":   {image.NewYCbCr(size, image.YCbCrSubsampleRatio422), true},
		"4:4:4":   {image.NewYCbCr(size, image.YCbCrSubsampleRatio444), false},
		"rgba":    {image.NewRGBA(size), false},
		"smaller": {image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420), false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := camera.FromDriver(fixed{c.picture}).Open(t.Context(), small)
			if err != nil {
				t.Fatal(err)
			}
			f, err := r.Read()
			if (err == nil) != c.ok || c.ok && (f.Image.SubsampleRatio != image.YCbCrSubsampleRatio420 ||
				f.Image.Rect != size || time.Since(f.Captured) > time.Minute) {
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
}

func BenchmarkSynthetic720p(b *testing.B) {
	r, err := camera.FromDriver(&camera.Synthetic{}).Open(b.Context(), camera.Format{Width: 1280, Height: 720, FPS: 1e6})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for b.Loop() {
		f, err := r.Read()
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}
