package main

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"sync"
)

// snapshot keeps a copy of the newest picture for its file.
type snapshot struct {
	file *os.File

	mu      sync.Mutex
	picture *image.YCbCr // nil before the first
}

// openSnapshot opens the file and leaves what is in it for now.
func openSnapshot(name string) (*snapshot, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // G304, G302: the user names it
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return &snapshot{file: file}, nil
}

// keep copies a picture; its planes have the strides of a whole picture.
func (s *snapshot) keep(p *image.YCbCr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.picture == nil || s.picture.Rect != p.Rect || s.picture.SubsampleRatio != p.SubsampleRatio {
		s.picture = image.NewYCbCr(p.Rect, p.SubsampleRatio)
	}
	copyPlane(s.picture.Y, s.picture.YStride, p.Y, p.YStride)
	copyPlane(s.picture.Cb, s.picture.CStride, p.Cb, p.CStride)
	copyPlane(s.picture.Cr, s.picture.CStride, p.Cr, p.CStride)
}

func copyPlane(to []byte, toStride int, from []byte, fromStride int) {
	for len(to) > 0 && len(from) > 0 {
		copy(to[:min(toStride, len(to))], from)
		to, from = to[min(toStride, len(to)):], from[min(fromStride, len(from)):]
	}
}

// close writes the picture as PNG. If there was none the file is as it was before.
func (s *snapshot) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.picture != nil {
		rgba := image.NewRGBA(s.picture.Rect) // PNG has eight bits of this, and sixteen of any other
		draw.Draw(rgba, rgba.Rect, s.picture, s.picture.Rect.Min, draw.Src)
		err = errors.Join(s.file.Truncate(0), png.Encode(s.file, rgba))
	} else if info, failed := s.file.Stat(); failed == nil && info.Mode().IsRegular() && info.Size() == 0 {
		err = os.Remove(s.file.Name())
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}
