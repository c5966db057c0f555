package decode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
)

var codecs = []string{"h264", "vp8"}

// clip returns the access units of frames 0…7 of the test picture at 320x192,
// of which 0 and 4 are key frames. (The robot's encoder tests write the files.)
func clip(t testing.TB, codec string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", codec+".clip"))
	if err != nil {
		t.Fatal(err)
	}
	var units [][]byte
	for len(data) > 0 {
		n := binary.BigEndian.Uint32(data)
		units = append(units, data[4:4+n])
		data = data[4+n:]
	}
	if len(units) != 8 {
		t.Fatalf("%s: %d units, want 8", codec, len(units))
	}
	return units
}

func newDecoder(t testing.TB, codec string) *decode.Decoder {
	t.Helper()
	decoder, err := decode.New(codec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	return decoder
}

// shows reports whether a unit decodes to the given frame of the test picture.
func shows(t testing.TB, d *decode.Decoder, unit []byte, number uint32) bool {
	t.Helper()
	picture, err := d.Decode(unit)
	if err != nil || picture == nil {
		t.Logf("frame %d: picture %v, error %v", number, picture != nil, err)
		return false
	}
	stamp, err := testpattern.Read(picture)
	return err == nil && stamp.Number == number
}

func TestEachUnitGivesItsPictureAtOnce(t *testing.T) {
	for _, codec := range codecs {
		decoder := newDecoder(t, codec)
		for i, unit := range clip(t, codec) {
			before := bytes.Clone(unit)
			if !shows(t, decoder, unit, uint32(i)) {
				t.Errorf("%s: frame %d is not shown", codec, i)
			}
			if !bytes.Equal(before, unit) {
				t.Errorf("%s: the unit was changed", codec)
			}
		}
	}
}

func TestPictureMemoryIsReused(t *testing.T) {
	for _, codec := range codecs {
		decoder := newDecoder(t, codec)
		var first *image.YCbCr
		for _, unit := range clip(t, codec) {
			picture, err := decoder.Decode(unit)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = picture
			}
			if picture != first || picture.Rect != image.Rect(0, 0, 320, 192) || picture.SubsampleRatio != image.YCbCrSubsampleRatio420 {
				t.Errorf("%s: picture %p %v %v, first %p", codec, picture, picture.Rect, picture.SubsampleRatio, first)
			}
		}
	}
}

func TestFlushAndKeyFrameRecover(t *testing.T) {
	for _, codec := range codecs {
		decoder := newDecoder(t, codec)
		units := clip(t, codec)
		for _, n := range []int{0, 1, 2} { // 3 is lost
			shows(t, decoder, units[n], uint32(n))
		}
		decoder.Flush()
		for n := 4; n < 8; n++ {
			if !shows(t, decoder, units[n], uint32(n)) {
				t.Errorf("%s: frame %d is not shown after a flush", codec, n)
			}
		}
	}
}

func TestNothingIsShownBeforeAKeyFrame(t *testing.T) {
	for _, codec := range codecs {
		for name, flush := range map[string]bool{"new": false, "flushed": true} {
			decoder := newDecoder(t, codec)
			units := clip(t, codec)
			if flush {
				shows(t, decoder, units[0], 0)
				decoder.Flush()
			}
			for n := 1; n < 4; n++ {
				if picture, _ := decoder.Decode(units[n]); picture != nil {
					t.Errorf("%s, %s: frame %d gave a picture", codec, name, n)
				}
			}
			if !shows(t, decoder, units[4], 4) {
				t.Errorf("%s, %s: the key frame is not shown", codec, name)
			}
		}
	}
}

func TestDamageIsAnError(t *testing.T) {
	for _, codec := range codecs {
		units := clip(t, codec)
		key := units[0]
		damaged := map[string][]byte{
			"nothing":   nil,
			"empty":     {},
			"text":      []byte("GET / HTTP/1.1\r\n\r\n"),
			"huge":      make([]byte, 5<<20),
			"cut short": key[:9],
		}
		if codec == "h264" {
			damaged["half a unit"] = key[:len(key)/2] // a VP8 frame cannot tell
		}
		for name, unit := range damaged {
			decoder := newDecoder(t, codec)
			picture, err := decoder.Decode(unit)
			if !errors.Is(err, decode.ErrCorrupt) || picture != nil {
				t.Errorf("%s, %s: picture %v, error %v, want ErrCorrupt", codec, name, picture != nil, err)
			}
			decoder.Flush()
			if !shows(t, decoder, units[4], 4) {
				t.Errorf("%s, %s: no recovery", codec, name)
			}
		}
	}
}

// A VP8 key frame's header carries its size, so a few bytes could ask for a
// picture of 16383x16383.
func TestPictureSizeIsBounded(t *testing.T) {
	unit := bytes.Clone(clip(t, "vp8")[0])
	binary.LittleEndian.PutUint16(unit[6:], 0x3fff)
	binary.LittleEndian.PutUint16(unit[8:], 0x3fff)
	if picture, err := newDecoder(t, "vp8").Decode(unit); err == nil || picture != nil {
		t.Errorf("picture %v, error %v", picture != nil, err)
	}
}

func TestNewRefusesOtherCodecs(t *testing.T) {
	for _, codec := range []string{"", "H264", "av1", "mjpeg"} {
		if decoder, err := decode.New(codec); err == nil || decoder != nil {
			t.Errorf("%q accepted", codec)
		}
	}
}

func TestClosedDecoder(t *testing.T) {
	decoder := newDecoder(t, "vp8")
	decoder.Close()
	decoder.Close()
	decoder.Flush()
	if _, err := decoder.Decode([]byte{1}); !errors.Is(err, decode.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// FuzzDecode feeds damaged units after a good key frame, then wants the decoder
// to show a good key frame again.
func FuzzDecode(f *testing.F) {
	for vp8, codec := range codecs {
		for _, unit := range clip(f, codec) {
			f.Add(vp8 == 1, unit, []byte{})
			f.Add(vp8 == 1, unit[:len(unit)/2], unit[len(unit)/2:])
		}
	}
	good := map[string][][]byte{"h264": clip(f, "h264"), "vp8": clip(f, "vp8")}
	f.Fuzz(func(t *testing.T, vp8 bool, first, second []byte) {
		codec := "h264"
		if vp8 {
			codec = "vp8"
		}
		decoder := newDecoder(t, codec)
		shows(t, decoder, good[codec][0], 0)
		for _, unit := range slices.Concat([][]byte{first, second}, good[codec][1:3]) {
			picture, err := decoder.Decode(unit)
			if err != nil && picture != nil {
				t.Error("a picture beside an error")
			}
			if picture != nil && (picture.Rect.Empty() || picture.Rect.Dx() > 4096 || picture.Rect.Dy() > 4096) {
				t.Errorf("picture of %v", picture.Rect)
			}
		}
		decoder.Flush()
		if !shows(t, decoder, good[codec][4], 4) {
			t.Error("the decoder does not recover at a key frame")
		}
	})
}

func BenchmarkFlush(b *testing.B) {
	for _, codec := range codecs {
		b.Run(codec, func(b *testing.B) {
			decoder := newDecoder(b, codec)
			units := clip(b, codec)
			for b.Loop() {
				decoder.Flush()
				if !shows(b, decoder, units[0], 0) {
					b.Fatal("not shown")
				}
			}
		})
	}
}
