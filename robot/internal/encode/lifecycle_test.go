package encode_test

import (
	"bytes"
	"image"
	"io"
	"testing"

	"github.com/pion/mediadevices/pkg/io/video"

	"wimz.dev/live/robot/internal/encode"
)

func TestReadAfterClose(t *testing.T) {
	for _, c := range codecs {
		encoder := open(t, newCamera(640, 368), settings(c, 640, 368, 400))
		data, _, err := encoder.Read()
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(data)
		for range 2 {
			if err = encoder.Close(); err != nil {
				t.Errorf("%s: Close: %v", c, err)
			}
		}
		if _, _, err = encoder.Read(); err != io.EOF { //nolint:errorlint // exactly io.EOF is the promise
			t.Errorf("%s: Read after Close: %v, want io.EOF", c, err)
		}
		if encoder.SetBitrate(300) == nil {
			t.Errorf("%s: SetBitrate works after Close", c)
		}
		encoder.ForceKeyFrame()
		if !bytes.Equal(before, data) {
			t.Errorf("%s: the unit that is still lent out changed", c)
		}
	}
}

func TestCloseDoesNotWaitForTheSource(t *testing.T) {
	for _, c := range codecs {
		waiting, resume := make(chan struct{}), make(chan struct{})
		picture := image.NewYCbCr(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio420)
		source := video.ReaderFunc(func() (image.Image, func(), error) {
			close(waiting)
			<-resume
			return picture, func() {}, nil
		})
		encoder, err := encode.New(source, settings(c, 64, 64, 100))
		if err != nil {
			t.Fatal(err)
		}
		result := make(chan error)
		go func() {
			_, _, readErr := encoder.Read()
			result <- readErr
		}()
		<-waiting
		if err = encoder.Close(); err != nil {
			t.Error(err)
		}
		close(resume)
		if err = <-result; err != io.EOF { //nolint:errorlint // exactly io.EOF is the promise
			t.Errorf("%s: %v, want io.EOF", c, err)
		}
	}
}

// Everything but Read may be called at any time from anywhere.
func TestConcurrentControl(t *testing.T) {
	for _, c := range codecs {
		encoder := open(t, newCamera(320, 192), settings(c, 320, 192, 300))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 200 {
				encoder.ForceKeyFrame()
				_ = encoder.SetBitrate(100 + i)
			}
			_ = encoder.Close()
		}()
		for {
			_, release, err := encoder.Read()
			if err == io.EOF { //nolint:errorlint // exactly io.EOF is the promise
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		<-done
	}
}

func TestLentUnitsAreNotReused(t *testing.T) {
	for _, c := range codecs {
		encoder := open(t, newCamera(320, 192), settings(c, 320, 192, 300))
		type lent struct{ data, copy []byte }
		var all []lent
		for i := range 30 {
			data, release, err := encoder.Read()
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				release()
				release() // a mistake that must not hand the memory out twice
				continue
			}
			all = append(all, lent{data, bytes.Clone(data)})
		}
		for i, l := range all {
			if !bytes.Equal(l.data, l.copy) {
				t.Errorf("%s: unit %d was overwritten while lent out", c, i)
			}
		}
	}
}

func BenchmarkEncode720p(b *testing.B) {
	for _, c := range codecs {
		b.Run(string(c), func(b *testing.B) {
			source := newCamera(1280, 720)
			encoder := open(b, source, settings(c, 1280, 720, 1500))
			b.ReportAllocs()
			total := 0
			for b.Loop() {
				data, release, err := encoder.Read()
				if err != nil {
					b.Fatal(err)
				}
				total += len(data)
				release()
			}
			b.ReportMetric(float64(total)/float64(b.N), "B/frame")
		})
	}
}

func BenchmarkDecode720p(b *testing.B) {
	for _, c := range codecs {
		b.Run(string(c), func(b *testing.B) {
			encoder := open(b, newCamera(1280, 720), settings(c, 1280, 720, 1500))
			units := make([][]byte, 4*fps)
			for i := range units {
				units[i] = read(b, encoder)
			}
			decoder := newDecoder(b, c)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				decoded(b, decoder, units[i%len(units)])
			}
		})
	}
}
