package pump

import (
	"fmt"
	"image"
	"math"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/prop"
)

// Limits of the bit rate, in bits per second. The upper one is the bound of
// H.264 level 3.1 (ITU-T H.264, table A-1).
const (
	minBitRate = 16_000
	maxBitRate = 14_000_000
)

// maxSide bounds a picture's width and height.
const maxSide = 4096

// Check returns an error if an encoder cannot be built for a source: the size must be
// even and at least 16x16, the frame rate known and at most 120 a second, the bit rate
// 16,000 to 14,000,000 a second.
func Check(p codec.BaseParams, media prop.Media) error {
	if !validSide(media.Width) || !validSide(media.Height) {
		return fmt.Errorf("encode: picture size %dx%d: both must be even and within 16…%d", media.Width, media.Height, maxSide)
	}
	if fps := float64(media.FrameRate); math.IsNaN(fps) || fps < 1 || fps > 120 {
		return fmt.Errorf("encode: frame rate %v is not within 1…120", media.FrameRate)
	}
	return checkBitRate(p.BitRate)
}

func validSide(n int) bool { return n >= 16 && n <= maxSide && n%2 == 0 }

func checkBitRate(bps int) error {
	if bps < minBitRate || bps > maxBitRate {
		return fmt.Errorf("encode: bit rate %d bit/s is not within %d…%d", bps, minBitRate, maxBitRate)
	}
	return nil
}

// KeyInterval is the most pictures between two key frames: what the parameters say, or
// ten seconds' worth. Other key frames come on demand.
func KeyInterval(p codec.BaseParams, media prop.Media) int {
	if p.KeyFrameInterval > 0 {
		return p.KeyFrameInterval
	}
	return int(10 * media.FrameRate)
}

// check returns img as a picture whose planes hold all the pixels that the C
// code is going to read.
func (e *Encoder) check(img image.Image) (*image.YCbCr, error) {
	picture, ok := img.(*image.YCbCr)
	if !ok || picture == nil {
		return nil, fmt.Errorf("encode: picture is a %T, want *image.YCbCr", img)
	}
	if picture.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return nil, fmt.Errorf("encode: picture is %v, want 4:2:0", picture.SubsampleRatio)
	}
	if w, h := picture.Rect.Dx(), picture.Rect.Dy(); w != e.width || h != e.height {
		return nil, fmt.Errorf("encode: picture is %dx%d, the encoder was made for %dx%d", w, h, e.width, e.height)
	}
	if picture.Rect.Min.X%2 != 0 || picture.Rect.Min.Y%2 != 0 {
		return nil, fmt.Errorf("encode: picture begins at %v, in the middle of a chroma sample", picture.Rect.Min)
	}
	if !holds(picture.Y, picture.YStride, e.width, e.height) ||
		!holds(picture.Cb, picture.CStride, e.width/2, e.height/2) ||
		!holds(picture.Cr, picture.CStride, e.width/2, e.height/2) {
		return nil, fmt.Errorf("encode: a plane of the picture is too short for %dx%d", e.width, e.height)
	}
	return picture, nil
}

// holds reports whether a plane has height rows of width bytes. Strides beyond
// 16 times the largest width are nonsense, and would not fit a C int.
func holds(plane []byte, stride, width, height int) bool {
	return stride >= width && stride <= 16*maxSide && len(plane) >= (height-1)*stride+width
}
