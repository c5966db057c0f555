package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"sync"
)

// newest is a copy of the newest picture.
type newest struct {
	mu      sync.Mutex
	picture *image.YCbCr
}

// keep copies a picture; its planes have the strides of a whole picture.
func (n *newest) keep(p *image.YCbCr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.picture == nil || n.picture.Rect != p.Rect || n.picture.SubsampleRatio != p.SubsampleRatio {
		n.picture = image.NewYCbCr(p.Rect, p.SubsampleRatio)
	}
	copyPlane(n.picture.Y, n.picture.YStride, p.Y, p.YStride)
	copyPlane(n.picture.Cb, n.picture.CStride, p.Cb, p.CStride)
	copyPlane(n.picture.Cr, n.picture.CStride, p.Cr, p.CStride)
}

func copyPlane(to []byte, toStride int, from []byte, fromStride int) {
	for len(to) > 0 && len(from) > 0 {
		copy(to[:min(toStride, len(to))], from)
		to, from = to[min(toStride, len(to)):], from[min(fromStride, len(from)):]
	}
}

// there reports whether there has been a picture.
func (n *newest) there() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.picture != nil
}

// save writes the picture as PNG.
func (n *newest) save(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.picture == nil {
		return errors.New("snapshot: there is no picture")
	}
	file, err := os.Create(name) //nolint:gosec // G304: the user names it
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return errors.Join(png.Encode(file, n.picture), file.Close())
}
