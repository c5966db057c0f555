package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// decodeTime bounds ffmpeg: it is many times as fast as the camera.
const decodeTime = time.Minute

// hasDecoder reports whether there is a program here that decodes H264; the robot
// itself carries none.
func hasDecoder() bool {
	_, err := exec.LookPath("ffmpeg")
	return err == nil
}

// decodeH264 decodes with ffmpeg, which gives the thumbnails right away.
func decodeH264(ctx context.Context, units [][]byte, eyes *witness) error {
	ctx, cancel := context.WithTimeout(ctx, decodeTime)
	defer cancel()
	scale := fmt.Sprintf("scale=%d:%d:flags=area", columns, rows)
	command := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-err_detect", "explode", "-f", "h264", "-i", "pipe:0", //nolint:gosec // G204: constants
		"-fps_mode", "passthrough", "-vf", scale, "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")
	var cells, words bytes.Buffer
	command.Stdin = bytes.NewReader(slices.Concat(units...))
	command.Stdout, command.Stderr = &cells, &words
	err := command.Run()
	if words.Len() > 0 {
		first, _, _ := strings.Cut(words.String(), "\n")
		err = errors.New(first)
	}
	if err != nil {
		return fmt.Errorf("they cannot be decoded: %w", err)
	}
	var decoded []thumbnail
	for cell := range slices.Chunk(cells.Bytes(), len(thumbnail{})) {
		var t thumbnail
		for i, luma := range cell {
			t[i] = float64(luma)
		}
		decoded = append(decoded, t)
	}
	return eyes.compare(decoded, len(units))
}
