package encode_test

import (
	"bytes"
	"errors"
	"image"
	"io"
	"testing"

	"github.com/pion/mediadevices/pkg/io/video"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/testpattern"
)

// padded returns a copy of img with wide strides, whose padding and
// surroundings are full of nonsense, as a window into a larger picture.
func padded(img *image.YCbCr) *image.YCbCr {
	r := img.Rect
	whole := image.NewYCbCr(image.Rect(0, 0, r.Dx()+70, r.Dy()+30), image.YCbCrSubsampleRatio420)
	for _, plane := range [][]byte{whole.Y, whole.Cb, whole.Cr} {
		for i := range plane {
			plane[i] = byte(i * 37)
		}
	}
	window, _ := whole.SubImage(r.Add(image.Pt(34, 12))).(*image.YCbCr)
	for y := range r.Dy() {
		copy(window.Y[y*window.YStride:][:r.Dx()], img.Y[y*img.YStride:])
	}
	for y := range r.Dy() / 2 {
		copy(window.Cb[y*window.CStride:][:r.Dx()/2], img.Cb[y*img.CStride:])
		copy(window.Cr[y*window.CStride:][:r.Dx()/2], img.Cr[y*img.CStride:])
	}
	return window
}

func TestStridesDoNotMatter(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			plain := newCamera(642, 366) // no multiple of 16, either
			source := newCamera(642, 366)
			wide := video.ReaderFunc(func() (image.Image, func(), error) {
				_, release, err := source.Read()
				return padded(source.picture), release, err
			})
			a := open(t, plain, settings(c, 642, 366, 400))
			b, err := encode.New(wide, settings(c, 642, 366, 400))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()

			decoder := newDecoder(t, c)
			for i := range fps {
				want := source.next
				unit := read(t, b)
				if !bytes.Equal(read(t, a), unit) {
					t.Fatalf("frame %d: the padded picture is encoded differently", i)
				}
				if got, err := testpattern.Read(decoded(t, decoder, unit)); err != nil || got != want {
					t.Fatalf("frame %d: read %v, %v", i, got, err)
				}
			}
		})
	}
}

func TestPicturesThatAreRefused(t *testing.T) {
	good := image.NewYCbCr(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420)
	truncated := *good
	truncated.Cr = truncated.Cr[:len(truncated.Cr)-1]
	narrow := *good
	narrow.YStride = 63
	negative := *good
	negative.YStride = -64
	pictures := map[string]image.Image{
		"nil":            nil,
		"nil YCbCr":      (*image.YCbCr)(nil),
		"RGBA":           image.NewRGBA(good.Rect),
		"4:4:4":          image.NewYCbCr(good.Rect, image.YCbCrSubsampleRatio444),
		"other size":     image.NewYCbCr(image.Rect(0, 0, 64, 66), image.YCbCrSubsampleRatio420),
		"odd origin":     image.NewYCbCr(image.Rect(1, 0, 65, 64), image.YCbCrSubsampleRatio420),
		"short plane":    &truncated,
		"short stride":   &narrow,
		"upside down":    &negative,
		"empty":          &image.YCbCr{},
		"size, no plane": &image.YCbCr{Rect: good.Rect, YStride: 64, CStride: 32},
	}
	for _, c := range codecs {
		var next image.Image
		released := 0
		source := video.ReaderFunc(func() (image.Image, func(), error) {
			return next, func() { released++ }, nil
		})
		encoder, err := encode.New(source, settings(c, 64, 64, 100))
		if err != nil {
			t.Fatal(err)
		}
		for name, picture := range pictures {
			next = picture
			if _, _, err = encoder.Read(); err == nil {
				t.Errorf("%s: %s accepted", c, name)
			}
		}
		if released != len(pictures) {
			t.Errorf("%s: %d of %d pictures given back", c, released, len(pictures))
		}
		next = good
		if unit := read(t, encoder); !encode.IsKeyFrame(c, unit) {
			t.Errorf("%s: the first good picture is no key frame", c)
		}
		_ = encoder.Close()
	}
}

func TestSourceErrorsPassUnchanged(t *testing.T) {
	broken := errors.New("unplugged")
	for _, c := range codecs {
		for _, want := range []error{broken, io.EOF} {
			source := video.ReaderFunc(func() (image.Image, func(), error) { return nil, nil, want })
			encoder, err := encode.New(source, settings(c, 64, 64, 100))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err = encoder.Read(); err != want { //nolint:errorlint // the very same error is the promise
				t.Errorf("%s: %v, want %v", c, err, want)
			}
			_ = encoder.Close()
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	good := settings(encode.H264, 640, 368, 400)
	tests := map[string]func(*encode.Settings){
		"codec":      func(s *encode.Settings) { s.Codec = "h265" },
		"no codec":   func(s *encode.Settings) { s.Codec = "" },
		"odd width":  func(s *encode.Settings) { s.Width = 641 },
		"no height":  func(s *encode.Settings) { s.Height = 0 },
		"huge":       func(s *encode.Settings) { s.Width, s.Height = 1<<20, 1<<20 },
		"negative":   func(s *encode.Settings) { s.Width, s.Height = -640, -368 },
		"no fps":     func(s *encode.Settings) { s.FPS = 0 },
		"fast":       func(s *encode.Settings) { s.FPS = 1000 },
		"no bitrate": func(s *encode.Settings) { s.BitrateKbps = 0 },
		"level":      func(s *encode.Settings) { s.Width, s.Height = 1920, 1080 },
		"level fps":  func(s *encode.Settings) { s.Width, s.Height, s.FPS = 1280, 720, 60 },
	}
	for name, spoil := range tests {
		s := good
		spoil(&s)
		encoder, err := encode.New(newCamera(64, 64), s)
		if err == nil || encoder != nil {
			t.Errorf("%s: accepted, or an encoder beside the error", name)
		}
	}
}
