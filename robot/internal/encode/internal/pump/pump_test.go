package pump_test

import (
	"bytes"
	"errors"
	"image"
	"io"
	"slices"
	"testing"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"

	"wimz.dev/live/robot/internal/encode/internal/pump"
)

// engine is a native encoder that records what it was asked.
type engine struct {
	keys   []bool
	rates  []int
	closed int

	output func() ([]byte, error) // called while encoding
}

func (e *engine) Encode(_ *image.YCbCr, key bool) ([]byte, error) {
	e.keys = append(e.keys, key)
	return e.output()
}

func (e *engine) SetBitRate(bps int) error {
	e.rates = append(e.rates, bps)
	return nil
}

func (e *engine) Close() { e.closed++ }

func newEncoder() (*pump.Encoder, *engine) {
	native := &engine{output: func() ([]byte, error) { return []byte("unit"), nil }}
	picture := image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420)
	source := video.ReaderFunc(func() (image.Image, func(), error) { return picture, func() {}, nil })
	return pump.New(source, 16, 16, native), native
}

func TestKeyFrameForcedWhileEncodingIsForTheNextPicture(t *testing.T) {
	encoder, native := newEncoder()
	native.output = func() ([]byte, error) {
		if len(native.keys) == 1 {
			encoder.ForceKeyFrame()
		}
		return []byte("unit"), nil
	}
	for range 3 {
		if _, _, err := encoder.Read(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []bool{false, true, false}; !slices.Equal(native.keys, want) {
		t.Errorf("key frames %v, want %v", native.keys, want)
	}
}

func TestKeyFrameRequestOutlivesFailure(t *testing.T) {
	failure := errors.New("out of luck")
	for name, output := range map[string]func() ([]byte, error){
		"failure":   func() ([]byte, error) { return nil, failure },
		"kept back": func() ([]byte, error) { return nil, nil },
	} {
		encoder, native := newEncoder()
		good := native.output
		native.output = output
		encoder.ForceKeyFrame()
		if _, _, err := encoder.Read(); err == nil {
			t.Errorf("%s: no error", name)
		}
		native.output = good
		for range 2 {
			if _, _, err := encoder.Read(); err != nil {
				t.Fatal(err)
			}
		}
		if want := []bool{true, true, false}; !slices.Equal(native.keys, want) {
			t.Errorf("%s: key frames %v, want %v", name, native.keys, want)
		}
	}
}

func TestControllerSpeaksMediadevices(t *testing.T) {
	encoder, native := newEncoder()
	var reader codec.ReadCloser = encoder
	keyFrames, ok := reader.Controller().(codec.KeyFrameController)
	if !ok {
		t.Fatal("no KeyFrameController")
	}
	bitRate, ok := reader.Controller().(codec.BitRateController)
	if !ok {
		t.Fatal("no BitRateController")
	}
	if err := errors.Join(keyFrames.ForceKeyFrame(), bitRate.SetBitRate(123_456)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := encoder.Read(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(native.keys, []bool{true}) || !slices.Equal(native.rates, []int{123_456}) {
		t.Errorf("keys %v, rates %v", native.keys, native.rates)
	}
	if bitRate.SetBitRate(0) == nil {
		t.Error("a bit rate of 0 is accepted")
	}
}

func TestCloseFreesOnce(t *testing.T) {
	encoder, native := newEncoder()
	for range 3 {
		if err := encoder.Close(); err != nil {
			t.Error(err)
		}
	}
	if native.closed != 1 {
		t.Errorf("freed %d times", native.closed)
	}
	if _, _, err := encoder.Read(); !errors.Is(err, io.EOF) || len(native.keys) != 0 {
		t.Errorf("Read after Close: %v, encoded %d", err, len(native.keys))
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	encoder, native := newEncoder()
	data := bytes.Repeat([]byte{7}, 10_000)
	native.output = func() ([]byte, error) { return data, nil }
	native.keys = make([]bool, 0, 1000)
	read := func() {
		_, release, err := encoder.Read()
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
	read()
	if n := testing.AllocsPerRun(100, read); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations a frame", n)
	}
}
