package main

import (
	"bytes"
	"io"
	"sync"
)

// maxHeld bounds what is held back, in bytes. More than that is lost.
const maxHeld = 64 << 10

// held passes writes on, or keeps them back while something else is on the
// terminal.
type held struct {
	mu      sync.Mutex
	to      io.Writer
	holding bool
	kept    bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.holding {
		return h.to.Write(p)
	}
	if h.kept.Len()+len(p) <= maxHeld {
		h.kept.Write(p)
	}
	return len(p), nil
}

func (h *held) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// release writes what was kept back.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = false
	_, _ = h.kept.WriteTo(h.to)
}
