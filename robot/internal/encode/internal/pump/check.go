package pump

import (
	"fmt"
	"image"
	"math"

	"github.com/pion/mediadevices/pkg/prop"
)

// maxSide bounds a picture's width and height.
const maxSide = 4096

// CheckMedia returns an error if the properties of a source are not enough to
// build an encoder for it: the size must be even and at least 16x16, the frame
// rate known and at most 120 a second.
func CheckMedia(p prop.Media) error {
	if !validSide(p.Width) || !validSide(p.Height) {
		return fmt.Errorf("encode: picture size %dx%d: both must be even and within 16…%d", p.Width, p.Height, maxSide)
	}
	if fps := float64(p.FrameRate); math.IsNaN(fps) || fps < 1 || fps > 120 {
		return fmt.Errorf("encode: frame rate %v is not within 1…120", p.FrameRate)
	}
	return nil
}

func validSide(n int) bool {
	return n >= 16 && n <= maxSide && n%2 == 0
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
