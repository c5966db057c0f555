package harness

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"os"

	"wimz.dev/live/robot/testpattern"
)

// WriteClip writes a Y4M file of stamped 720p pictures, 15 a second, numbered from
// first on.
func WriteClip(path string, first, pictures int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file) // keeps the first error
	_, _ = fmt.Fprintln(w, "YUV4MPEG2 W1280 H720 F15:1 XCOLORRANGE=FULL")
	painter := testpattern.NewPainter(1280, 720)
	img := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	for n := range pictures {
		painter.Draw(img, testpattern.Stamp{Number: uint32(first + n)})
		_, _ = fmt.Fprintln(w, "FRAME")
		for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
			_, _ = w.Write(plane)
		}
	}
	return errors.Join(w.Flush(), file.Close())
}
