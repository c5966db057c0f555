// Package figures says in numbers what a robot does: for Prometheus, and on a page
// for its owner. Counters are kept where the work is done, in a [Counters]; all
// else is asked for when somebody looks.
package figures

import (
	"sync/atomic"
	"time"

	"wimz.dev/live/robot/internal/machine"
)

// Counters count pictures on their way. The zero value is ready; its fields may be
// used from any goroutine.
type Counters struct {
	Captured atomic.Uint64 // taken by the camera
	Encoded  atomic.Uint64 // by all encoders
	Sent     atomic.Uint64 // to all viewers
	encoding atomic.Int64  // nanoseconds that encoders worked
}

// Encode counts a picture and how long it took.
func (c *Counters) Encode(took time.Duration) {
	c.Encoded.Add(1)
	c.encoding.Add(int64(took))
}

// Figures are all numbers at one moment. They hold nothing that names anybody.
type Figures struct {
	Relay           string // "connected", "disconnected" or "disabled"
	Viewers         int
	PeerConnections int // and those being closed
	Encoders        int
	Pictures        Pictures
	// Dropped counts, for each viewer's place, the pictures that were encoded for who
	// had it and not sent: the way was too slow, or lost the thread.
	Dropped []uint64
	Machine machine.State
}

// Pictures are counts since the robot started.
type Pictures struct {
	Captured uint64        `json:"captured"`
	Encoded  uint64        `json:"encoded"`
	Sent     uint64        `json:"sent"`
	Skipped  uint64        `json:"skipped"`     // for which an encoder was too slow
	Encoding time.Duration `json:"encoding_ns"` // that encoders worked
}

// Pictures reads the counters; skipped is counted elsewhere.
func (c *Counters) Pictures(skipped uint64) Pictures {
	return Pictures{
		Captured: c.Captured.Load(), Encoded: c.Encoded.Load(), Sent: c.Sent.Load(),
		Skipped: skipped, Encoding: time.Duration(c.encoding.Load()),
	}
}
