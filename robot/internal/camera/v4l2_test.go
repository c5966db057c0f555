//go:build v4l2

package camera

import (
	"errors"
	"image"
	"strings"
	"testing"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

func mode(width, height int, rate float32, format frame.Format) prop.Media {
	return prop.Media{Video: prop.Video{Width: width, Height: height, FrameRate: rate, FrameFormat: format}}
}

func TestModeOfAUSBCamera(t *testing.T) {
	yuyv10, yuyv30 := mode(1280, 720, 10, frame.FormatYUYV), mode(1280, 720, 30, frame.FormatYUYV)
	mjpeg15, mjpeg30 := mode(1280, 720, 15, frame.FormatMJPEG), mode(1280, 720, 30, frame.FormatMJPEG)
	mjpeg5, vague := mode(1280, 720, 5, frame.FormatMJPEG), mode(1280, 720, 0, frame.FormatYUYV)
	vga, shared := mode(640, 480, 30, frame.FormatYUYV), mode(1280, 720, 15, frame.FormatI420)
	for name, c := range map[string]struct {
		modes []prop.Media
		want  prop.Media
	}{
		"fast enough":        {[]prop.Media{vga, yuyv10, mjpeg30, mjpeg15}, mjpeg15},
		"no decoder":         {[]prop.Media{mjpeg15, yuyv30, mjpeg30}, yuyv30},
		"fastest if none is": {[]prop.Media{mjpeg5, yuyv10, mjpeg5}, yuyv10},
		"unknown rate":       {[]prop.Media{mjpeg5, vague}, vague},
		"not shared memory":  {[]prop.Media{shared, mjpeg5}, mjpeg5},
	} {
		got, err := choose(c.modes, mode(1280, 720, 15, frame.FormatI420))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for want, modes := range map[string][]prop.Media{
		"set webrtc.video to one of 640x480": {vga, vga},
		"neither MJPEG nor YUYV":             {shared},
	} {
		if _, err := choose(modes, mode(1280, 720, 15, frame.FormatI420)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// plugged is a camera as the driver has it, whose every second picture is damaged.
type plugged struct {
	driver.Driver
	n      int
	broken bool
}

func (*plugged) Properties() []prop.Media {
	return []prop.Media{mode(16, 16, 15, frame.FormatYUYV)}
}

func (p *plugged) VideoRecord(prop.Media) (video.Reader, error) {
	return video.ReaderFunc(func() (image.Image, func(), error) {
		if p.n++; p.broken || p.n%2 == 0 {
			return nil, func() {}, errors.New("frame length (1) less than expected (512)")
		}
		img := image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio422)
		for i := range img.Y {
			img.Y[i] = 235
		}
		return img, func() {}, nil
	}), nil
}

func TestPicturesOfAUSBCamera(t *testing.T) {
	p := &plugged{}
	const always = 1e6 // a second: none is too early
	r, err := (&v4l2{device: "/dev/video7", found: p}).VideoRecord(mode(16, 16, always, frame.FormatI420))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		picture, _, lost := r.Read()
		if img, ok := picture.(*image.YCbCr); lost != nil || !ok || img.Y[0] != 255 || img.Cb[0] != 0 || img.Cr[0] != 0 {
			t.Errorf("got %v, %v", picture, lost)
		}
	}
	p.broken = true
	if _, _, err = r.Read(); err == nil || !strings.Contains(err.Error(), "/dev/video7: frame length") {
		t.Errorf("got %v", err)
	}
}

func TestNoUSBCamera(t *testing.T) {
	source, err := newV4L2("/dev/no-such-camera")
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Open(t.Context(), Format{Width: 1280, Height: 720, FPS: 15})
	if err == nil || !strings.Contains(err.Error(), "there is no camera at /dev/no-such-camera") {
		t.Errorf("got %v", err)
	}
}
