package selftest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/machine"
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
	for i, want := range []struct{ name, how string }{{"camera", ""}, {"overlay", ""}, {"h264", "decoded"}, {"vp8", "decoded"}} {
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

// TestBrokenEncoder: what arrives comes at the right rate, and is something else than
// the camera saw.
func TestBrokenEncoder(t *testing.T) {
	scene, dark, stripes := blank(), blank(), blank()
	testpattern.NewPainter(width, height).Draw(scene, testpattern.Stamp{})
	black(dark)
	for i := range stripes.Y {
		stripes.Y[i] = byte(i % 200)
	}
	eyes := &witness{}
	eyes.remember(thumbnailOf(scene))
	judged := func(t *testing.T, codec encode.Codec, units [][]byte, rate float64) Step {
		t.Helper()
		return (&test{Options: options(nil)}).judge(t.Context(), string(codec), units, Video{FPS: rate, Pictures: len(units)}, eyes)
	}
	if s := judged(t, encode.H264, encoded(t, encode.H264, scene), fps/2); s.Pass || !strings.Contains(s.Advice, "lower webrtc.video") {
		t.Errorf("half the rate passes: %+v", s)
	}
	noFFmpeg := t.TempDir()
	for name, c := range map[string]struct {
		units func(c encode.Codec) [][]byte
		says  [3]string // of VP8, of H264 with ffmpeg and without; "" if it passes
	}{
		"good":  {func(c encode.Codec) [][]byte { return encoded(t, c, scene) }, [3]string{"", "", ""}},
		"black": {func(c encode.Codec) [][]byte { return encoded(t, c, dark) }, [3]string{"0 of them show what", "one shade", "one shade"}},
		"another": {
			func(c encode.Codec) [][]byte { return encoded(t, c, stripes) },
			[3]string{"0 of them show what", "0 of them show what", ""},
		},
		"no key frame": {
			func(c encode.Codec) [][]byte { return encoded(t, c, scene)[1:] },
			[3]string{"decoded", "no key frame", "no key frame"},
		},
		"one missing": {
			func(c encode.Codec) [][]byte { return slices.Delete(encoded(t, c, scene), 2, 3) },
			[3]string{"", "its number is 3, not 2", "its number is 3, not 2"},
		},
		"damaged": {
			func(c encode.Codec) [][]byte {
				units := encoded(t, c, scene)
				clear(units[0][len(units[0])/4:])
				return units
			},
			[3]string{"0 of them show what", "cannot be decoded", ""},
		},
		"cut off": {
			func(c encode.Codec) [][]byte { return [][]byte{encoded(t, c, scene)[0][:9]} },
			[3]string{"decoded", "cut off", "cut off"},
		},
		"not a picture": {
			func(encode.Codec) [][]byte { return [][]byte{{0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9}} },
			[3]string{"decoded", "no key frame", "no key frame"},
		},
		"nothing": {
			func(encode.Codec) [][]byte { return [][]byte{{}} },
			[3]string{"decoded", "no key frame", "no key frame"},
		},
	} {
		for i, codec := range []encode.Codec{encode.VP8, encode.H264, encode.H264} {
			t.Run(fmt.Sprintf("%s, %s %d", name, codec, i), func(t *testing.T) {
				if i == 2 {
					t.Setenv("PATH", noFFmpeg)
				}
				s := judged(t, codec, c.units(codec), fps)
				if s.Pass != (c.says[i] == "") || !strings.Contains(s.Text, c.says[i]) {
					t.Errorf("%+v; want %q", s, c.says[i])
				}
			})
		}
	}
}

func blank() *image.YCbCr {
	return image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
}

func TestBoard(t *testing.T) {
	warm := 51.4
	for name, c := range map[string]struct {
		state machine.State
		text  string // none if there is nothing to say
		pass  bool
	}{
		"no Pi":     {machine.State{}, "", true},
		"a laptop":  {machine.State{Celsius: &warm}, "51 °C", true},
		"a good Pi": {machine.State{Celsius: &warm, Power: &machine.Power{}}, "51 °C, neither heat nor a weak power supply slow it down", true},
		"no sensor": {machine.State{Power: &machine.Power{HadUnderVoltage: true}}, "the power supply is too weak", false},
		"heat":      {machine.State{Power: &machine.Power{Throttled: true}}, "slowed down because of heat", false},
	} {
		s, ok := board(c.state)
		if s.Text != c.text || s.Pass != c.pass || ok != (c.text != "") || s.Pass != (s.Advice == "") {
			t.Errorf("%s: %+v, %v", name, s, ok)
		}
	}
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
	f.Add([]byte{0, 0, 1, 0x67, 66, 0xe0, 31, 0x8c, 0x8d, 0x40, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1})
	f.Add([]byte{0, 0, 1, 0x67, 66, 0xe0, 31})
	f.Fuzz(func(t *testing.T, unit []byte) {
		found, err := parseH264([][]byte{unit})
		if err == nil && (found.keyFrames != 1 || found.width <= 0 || found.height <= 0 || found.width > 1<<21) {
			t.Errorf("%+v", found)
		}
	})
}
