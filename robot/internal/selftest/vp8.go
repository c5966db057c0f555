package selftest

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/pion/mediadevices/pkg/codec/vpx" //nolint:depguard // its decoder; we have none of our own
	"github.com/pion/mediadevices/pkg/prop"      //nolint:depguard // likewise
)

// decodeVP8 decodes with libvpx and compares each picture with what the camera
// saw. While the camera warms up the robot may show words in its place, so half
// of them have to be the camera's, and the last.
func decodeVP8(units [][]byte, eyes *witness) (f finding, err error) {
	f = finding{how: "decoded", words: "decoded: they show what the camera saw"}
	for _, unit := range units {
		if len(unit) > 0 && unit[0]&1 == 0 { // RFC 6386 §9.1
			f.keyFrames++
		}
	}
	decoder, err := vpx.NewDecoder(&unitReader{units}, prop.Media{})
	if err != nil {
		return f, err
	}
	defer decoder.Close() //nolint:errcheck // frees memory
	decoded, alike, last := 0, 0, false
	for {
		picture, release, err := decoder.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, fmt.Errorf("picture %d cannot be decoded: %w", decoded+1, err)
		}
		decoded++
		img, ok := picture.(*image.YCbCr)
		if !ok {
			return f, fmt.Errorf("the decoder gave a %T", picture)
		}
		f.width, f.height = img.Rect.Dx(), img.Rect.Dy()
		if last = eyes.saw(thumbnailOf(img)); last {
			alike++
		}
		release()
	}
	if decoded != len(units) || 2*alike < decoded || !last {
		return f, fmt.Errorf("%d could be decoded and %d of them show what the camera saw", decoded, alike)
	}
	return f, nil
}

// unitReader gives one unit per Read.
type unitReader struct{ units [][]byte }

// Read implements io.Reader.
func (r *unitReader) Read(p []byte) (int, error) {
	if len(r.units) == 0 {
		return 0, io.EOF
	}
	unit := r.units[0]
	r.units = r.units[1:]
	if len(unit) > len(p) {
		return 0, io.ErrShortBuffer
	}
	return copy(p, unit), nil
}
