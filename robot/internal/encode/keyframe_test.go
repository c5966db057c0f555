package encode_test

import (
	"bytes"
	"testing"

	"wimz.dev/live/robot/internal/encode"
)

func TestEveryForcedKeyFrameComes(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			encoder := open(t, newCamera(640, 368), settings(c, 640, 368, 400))
			if !encode.IsKeyFrame(c, read(t, encoder)) {
				t.Error("the stream does not begin with a key frame")
			}
			for i := range 10 {
				for range i { // at various distances
					if encode.IsKeyFrame(c, read(t, encoder)) {
						t.Error("key frame nobody asked for")
					}
				}
				encoder.ForceKeyFrame()
				encoder.ForceKeyFrame() // one and the same request
				if !encode.IsKeyFrame(c, read(t, encoder)) {
					t.Errorf("request %d was lost", i)
				}
			}
		})
	}
}

// A request may come while Read waits for the picture (it is for this picture)
// or when the picture is encoded already (it is for the next).
func TestKeyFrameForcedDuringRead(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			source := newCamera(640, 368)
			encoder := open(t, source, settings(c, 640, 368, 400))
			read(t, encoder)
			for i := range 10 {
				source.before = encoder.ForceKeyFrame
				if !encode.IsKeyFrame(c, read(t, encoder)) {
					t.Errorf("request %d, made before the picture, was lost", i)
				}
				source.before, source.during = nil, encoder.ForceKeyFrame
				if encode.IsKeyFrame(c, read(t, encoder)) {
					t.Errorf("request %d came too early", i)
				}
				source.during = nil
				if !encode.IsKeyFrame(c, read(t, encoder)) {
					t.Errorf("request %d, made after the picture, was lost", i)
				}
			}
		})
	}
}

// Requests from another goroutine, at any moment: each is answered by the
// picture being encoded or the one after it.
func TestKeyFrameForcedConcurrently(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			source := newCamera(640, 368)
			encoder := open(t, source, settings(c, 640, 368, 400))
			read(t, encoder)
			for i := range 10 {
				asked := make(chan struct{})
				source.before = func() {
					go func() {
						defer close(asked)
						encoder.ForceKeyFrame()
					}()
				}
				first := read(t, encoder)
				source.before = nil
				<-asked
				second := read(t, encoder)
				if !encode.IsKeyFrame(c, first) && !encode.IsKeyFrame(c, second) {
					t.Errorf("request %d was lost", i)
				}
			}
		})
	}
}

func TestIsKeyFrame(t *testing.T) {
	tests := map[string]struct {
		codec encode.Codec
		unit  []byte
		want  bool
	}{
		"h264 idr":               {encode.H264, []byte{0, 0, 0, 1, 0x65, 0x88}, true},
		"h264 sps pps idr":       {encode.H264, []byte{0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 1, 0x65}, true},
		"h264 p":                 {encode.H264, []byte{0, 0, 0, 1, 0x41, 0x9a}, false},
		"h264 p, then idr":       {encode.H264, []byte{0, 0, 1, 0x41, 0, 0, 1, 0x65}, false},
		"h264 sps alone":         {encode.H264, []byte{0, 0, 0, 1, 0x67, 0x42}, false},
		"h264 empty":             {encode.H264, nil, false},
		"h264 start code alone":  {encode.H264, []byte{0, 0, 0, 1}, false},
		"vp8 key":                {encode.VP8, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x70, 1}, true},
		"vp8 inter":              {encode.VP8, []byte{0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x70, 1}, false},
		"vp8 without start code": {encode.VP8, []byte{0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false},
		"vp8 short":              {encode.VP8, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a}, false},
		"unknown codec":          {"av1", []byte{0, 0, 0, 1, 0x65}, false},
	}
	for name, test := range tests {
		if got := encode.IsKeyFrame(test.codec, test.unit); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func FuzzIsKeyFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x65})
	f.Add([]byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x70, 1})
	f.Fuzz(func(t *testing.T, unit []byte) {
		before := bytes.Clone(unit)
		for _, c := range codecs {
			encode.IsKeyFrame(c, unit)
		}
		if !bytes.Equal(before, unit) {
			t.Error("the unit was changed")
		}
	})
}
