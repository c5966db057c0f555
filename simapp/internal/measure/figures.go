package measure

import "time"

// Figures is the state of a [Meter] at one moment.
type Figures struct {
	Frames  int
	FPS     float64 // pictures per second, first to last
	Freezes int
	Longest time.Duration // between two pictures
	Kbps    float64       // RTP payload, first to last packet

	// Stamped says that a stamp has been seen; without one, the rest is
	// unknown.
	Stamped     bool
	P50, P95    time.Duration // capture to decoded, of the latest ten minutes
	StampErrors int
	Lost        int
	Repeated    int
}

// Figures returns what has been measured so far.
func (m *Meter) Figures() Figures {
	f := Figures{
		Frames:      m.frames,
		Freezes:     m.freezes,
		Longest:     m.longest,
		Stamped:     m.stamped,
		StampErrors: m.errors,
		Lost:        m.lost,
		Repeated:    m.repeated,
	}
	if span := m.lastPicture.Sub(m.firstPicture); span > 0 {
		f.FPS = float64(m.frames-1) / span.Seconds()
	}
	if span := m.lastPacket.Sub(m.firstPacket); span > 0 {
		f.Kbps = float64(m.bytes) * 8 / 1000 / span.Seconds()
	}
	sorted := m.latencies.sorted()
	f.P50, f.P95 = percentile(sorted, 50), percentile(sorted, 95)
	return f
}
