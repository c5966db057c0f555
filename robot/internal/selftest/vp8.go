package selftest

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/pion/mediadevices/pkg/codec/vpx" //nolint:depguard // its decoder; we have none of our own
	"github.com/pion/mediadevices/pkg/prop"      //nolint:depguard // likewise
)

// decodeVP8 decodes with libvpx.
func decodeVP8(units [][]byte, eyes *witness) (f finding, err error) {
	f = finding{how: "decoded", words: decodedWords}
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
	var seen []thumbnail
	for {
		picture, release, err := decoder.Read()
		if errors.Is(err, io.EOF) {
			return f, eyes.compare(seen, len(units))
		}
		if err != nil {
			return f, fmt.Errorf("picture %d cannot be decoded: %w", len(seen)+1, err)
		}
		img, ok := picture.(*image.YCbCr)
		if !ok {
			return f, fmt.Errorf("the decoder gave a %T", picture)
		}
		f.width, f.height = img.Rect.Dx(), img.Rect.Dy()
		seen = append(seen, thumbnailOf(img))
		release()
	}
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
