// Package measure turns the packets and pictures of one viewing into the
// figures of its report: frame rate, latency, loss and freezes. It has no clock
// of its own.
package measure

import (
	"time"

	"wimz.dev/live/robot/testpattern"
)

// Meter measures one viewing. The zero value is ready. It is not safe for
// concurrent use.
type Meter struct {
	firstPacket, lastPacket time.Time
	bytes                   int64

	firstPicture, lastPicture time.Time
	frames                    int
	intervals                 intervals
	freezes                   int
	longest                   time.Duration // between two pictures

	latencies window
	stamped   bool   // a stamp has been seen
	number    uint32 // of the newest stamp
	errors    int
	lost      int
	repeated  int
	run       Run
}

// Run counts the stamped pictures in a row, each with a higher number than the
// one before.
type Run struct {
	// Length is how long the present run is.
	Length int
	// Breaks is how often a run has ended.
	Breaks int
}

// Packet counts one RTP packet with size bytes of payload.
func (m *Meter) Packet(size int, at time.Time) {
	if m.firstPacket.IsZero() {
		m.firstPacket = at
	}
	m.lastPacket = at
	m.bytes += int64(size)
}

// Picture counts one decoded picture. stamp is what was read in it, nil if it
// carries none.
func (m *Meter) Picture(at time.Time, stamp *testpattern.Stamp) {
	m.frames++
	if m.firstPicture.IsZero() {
		m.firstPicture = at
	} else {
		interval := at.Sub(m.lastPicture)
		m.longest = max(m.longest, interval)
		if m.intervals.add(interval) {
			m.freezes++
		}
	}
	m.lastPicture = at
	switch {
	case stamp != nil:
		m.stamp(at, *stamp)
	case m.stamped:
		m.errors++
		m.breakRun()
	}
}

// stamp compares the number with the newest one, as the numbers wrap. A source
// that began anew counts as one repetition.
func (m *Meter) stamp(at time.Time, s testpattern.Stamp) {
	step := int32(s.Number - m.number) //nolint:gosec // G115: serial number arithmetic, RFC 1982
	switch {
	case !m.stamped:
	case step <= 0:
		m.repeated++
		m.breakRun()
	default:
		m.lost += int(step) - 1
	}
	m.stamped, m.number = true, s.Number
	m.run.Length++
	m.latencies.add(at.Sub(s.Captured))
}

func (m *Meter) breakRun() {
	if m.run.Length > 0 {
		m.run = Run{Breaks: m.run.Breaks + 1}
	}
}

// Run returns the present run of stamped pictures.
func (m *Meter) Run() Run { return m.run }

// LastPicture returns when the newest picture was decoded, zero if none was.
func (m *Meter) LastPicture() time.Time { return m.lastPicture }

// Pictures returns how many were counted.
func (m *Meter) Pictures() int { return m.frames }

// Bytes returns how much RTP payload was counted.
func (m *Meter) Bytes() int64 { return m.bytes }

// Latest returns the latency of the newest stamped picture, and whether there is one.
func (m *Meter) Latest() (latency time.Duration, ok bool) { return m.latencies.latest(), m.stamped }
