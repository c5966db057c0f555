package selftest

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/testpattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const width, height, fps = 320, 192, 15

func options(around func(camera.Source) camera.Source) Options {
	cfg := robot.DefaultConfig()
	cfg.WebRTC.Video = config.Video{Width: width, Height: height, FPS: fps, BitrateKbps: 300}
	return Options{Config: cfg, For: 500 * time.Millisecond, Log: slog.New(slog.DiscardHandler), around: around}
}

func TestAllIsWell(t *testing.T) {
	told := 0
	o := options(nil)
	o.Done = func(Step) { told++ }
	steps := Run(t.Context(), o)
	if len(steps) < 4 || told != len(steps) {
		t.Fatalf("%d steps, %d told: %+v", len(steps), told, steps)
	}
	for i, want := range []struct{ name, how string }{{"camera", ""}, {"overlay", ""}, {"h264", "parsed"}, {"vp8", "decoded"}} {
		s := steps[i]
		if s.Name != want.name || !s.Pass || s.Advice != "" {
			t.Errorf("%+v", s)
			continue
		}
		if s.Video == nil {
			continue
		}
		if v := s.Video; v.Width != width || v.Height != height || v.Pictures == 0 || v.CPUPercent <= 0 ||
			v.FirstMS <= 0 || v.Verification != want.how {
			t.Errorf("%s: %+v", s.Name, *v)
		}
	}
}

// lens is a camera with something wrong.
type lens struct {
	camera.Source
	change func(*image.YCbCr)
	err    error
}

func (l lens) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	if l.err != nil {
		return nil, l.err
	}
	reader, err := l.Source.Open(ctx, f)
	return lensReader{reader, l.change}, err
}

type lensReader struct {
	camera.Reader
	change func(*image.YCbCr)
}

func (r lensReader) Read() (camera.Frame, error) {
	f, err := r.Reader.Read()
	if err == nil {
		r.change(f.Image)
	}
	return f, err
}

func black(img *image.YCbCr) {
	for i := range img.Y {
		img.Y[i] = 16
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
}

func TestCamera(t *testing.T) {
	for name, c := range map[string]struct {
		lens lens
		says string
	}{
		"the cap is on":   {lens{change: black}, "take the cap off"},
		"there is none":   {lens{err: errors.New("no such device")}, "no such device"},
		"it is too slow":  {lens{change: func(*image.YCbCr) { <-time.After(120 * time.Millisecond) }}, "15 are configured"},
		"it is unplugged": {lens{err: io.EOF}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(func(s camera.Source) camera.Source { c.lens.Source = s; return c.lens })
			s := (&test{Options: o}).camera(t.Context())
			if s.Pass || s.Advice == "" || !strings.Contains(s.Text+s.Advice, c.says) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestBrokenEncoder: what arrives decodes, at the right rate, and shows something
// else than the camera saw.
func TestBrokenEncoder(t *testing.T) {
	eyes := &witness{}
	painter := testpattern.NewPainter(width, height)
	scene := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	painter.Draw(scene, testpattern.Stamp{})
	eyes.remember(thumbnailOf(scene))

	dark := image.NewYCbCr(scene.Rect, image.YCbCrSubsampleRatio420)
	black(dark)
	stripes := image.NewYCbCr(scene.Rect, image.YCbCrSubsampleRatio420)
	for i := range stripes.Y {
		stripes.Y[i] = byte(i % 200)
	}
	for _, codec := range []encode.Codec{encode.H264, encode.VP8} {
		good := encoded(t, codec, scene)
		for name, c := range map[string]struct {
			units [][]byte
			fails string
		}{
			"good":          {good, ""},
			"black":         {encoded(t, codec, dark), "shade|show what"},
			"no key frame":  {good[1:], "no key frame|decoded"},
			"cut off":       {[][]byte{good[0][:9]}, "cut off|decoded"},
			"not a picture": {[][]byte{{0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9}}, "no key frame|decoded"},
			"nothing":       {[][]byte{{}}, "no key frame|decoded"},
		} {
			s := (&test{Options: options(nil)}).judge(string(codec), c.units, Video{FPS: fps, Pictures: len(c.units)}, eyes)
			if s.Pass != (c.fails == "") {
				t.Errorf("%s, %s: %+v", codec, name, s)
			}
			if c.fails != "" && !says(s.Text, c.fails) {
				t.Errorf("%s, %s does not say %s: %s", codec, name, c.fails, s.Text)
			}
		}
	}
	// What H264 alone cannot tell without a decoder.
	s := (&test{Options: options(nil)}).judge("vp8", encoded(t, encode.VP8, stripes), Video{FPS: fps}, eyes)
	if s.Pass {
		t.Errorf("another picture passes: %+v", s)
	}
	if s := (&test{Options: options(nil)}).judge("h264", encoded(t, encode.H264, scene), Video{FPS: fps / 2}, eyes); s.Pass ||
		!strings.Contains(s.Advice, "lower webrtc.video") {
		t.Errorf("half the rate passes: %+v", s)
	}
}

func says(text, oneOf string) bool {
	for word := range strings.SplitSeq(oneOf, "|") {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// still is a camera that sees one picture five times.
type still struct {
	picture *image.YCbCr
	left    int
}

func (s *still) Read() (image.Image, func(), error) {
	if s.left--; s.left < 0 {
		return nil, nil, io.EOF
	}
	return s.picture, func() {}, nil
}

func encoded(t *testing.T, codec encode.Codec, picture *image.YCbCr) (units [][]byte) {
	t.Helper()
	encoder, err := encode.New(&still{picture, 5}, encode.Settings{
		Codec: codec, Width: width, Height: height, FPS: fps, BitrateKbps: 300,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close() //nolint:errcheck // frees memory
	for {
		data, release, err := encoder.Read()
		if errors.Is(err, io.EOF) {
			return units
		}
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, append([]byte(nil), data...))
		release()
	}
}

func FuzzParseH264(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0x67, 66, 0xc0, 31, 0x8c, 0x8d, 0x40, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1})
	f.Add([]byte{0, 0, 1, 0x67, 66, 0xc0, 31})
	f.Fuzz(func(t *testing.T, unit []byte) {
		found, err := parseH264([][]byte{unit})
		if err == nil && (found.keyFrames != 1 || found.width <= 0 || found.height <= 0 || found.width > 1<<21) {
			t.Errorf("%+v", found)
		}
	})
}
