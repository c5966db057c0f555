package e2e

import (
	"image"
	"sync"
	"time"
)

// gapMeter measures the longest time between two pictures.
type gapMeter struct {
	mu          sync.Mutex
	begin, last time.Time
	gap         time.Duration
}

// tick is called with every decoded picture.
func (g *gapMeter) tick(*image.YCbCr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.last.IsZero() {
		g.gap = max(g.gap, now.Sub(g.last))
	}
	g.last = now
}

// reset begins anew.
func (g *gapMeter) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin = time.Now()
	g.last, g.gap = g.begin, 0
}

// running is the time since the begin.
func (g *gapMeter) running() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Since(g.begin)
}

// longest is the longest gap so far, the one that goes on included.
func (g *gapMeter) longest() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.gap, time.Since(g.last))
}
