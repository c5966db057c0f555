// Package assemble puts RTP packets back in order and joins the payloads of one
// picture into what a decoder takes: a unit.
//
// It hands a unit over as soon as the packet with the marker bit is there.
// (pion's samplebuilder waits for the first packet of the next picture, which
// is a whole frame time of latency.) A missing packet is waited for while a
// retransmission may still bring it (RFC 4585), then given up together with its
// picture; the next unit says so.
package assemble

import (
	"time"

	"github.com/pion/rtp"
)

const (
	// Patience is how long a missing packet is waited for: one retransmission,
	// asked for every 100 ms, and a round trip through a distant TURN server.
	Patience = 300 * time.Millisecond
	// maxHeld bounds the packets kept behind a gap: 300 ms at 10 Mbit/s.
	maxHeld = 512
	// maxUnit bounds one picture in bytes; a key frame at 720p has 40 to 80 KB.
	maxUnit = 4 << 20
)

// Unit is one coded picture: an H.264 access unit in Annex B form, or a VP8
// frame.
type Unit struct {
	Data []byte
	// Timestamp is the RTP timestamp, of 90 kHz.
	Timestamp uint32
	// Key says that a decoder can start here.
	Key bool
	// AfterLoss says that something before this unit is missing for good.
	AfterLoss bool
}

// Assembler does it for one RTP stream. It is not safe for concurrent use.
type Assembler struct {
	format format

	held    map[uint16]arrival // packets that came before their turn
	next    uint16             // the sequence number whose turn it is
	started bool

	depacketizer rtp.Depacketizer
	unit         Unit
	open         bool // unit has begun, and nothing of it is missing so far
	lost         bool // something was given up since the last unit

	// The packet consumed last, if the next one follows it without a gap.
	adjacent, marked bool
	timestamp        uint32
}

type arrival struct {
	packet *rtp.Packet
	at     time.Time
}

// New returns an assembler for a codec, "h264" or "vp8".
func New(codec string) (*Assembler, error) {
	f, err := formatOf(codec)
	if err != nil {
		return nil, err
	}
	return &Assembler{format: f, held: make(map[uint16]arrival), depacketizer: f.depacketizer()}, nil
}

// Push takes the packet that arrived at now and keeps it. It returns the units
// that are complete by it, and whether packets were given up.
func (a *Assembler) Push(p *rtp.Packet, now time.Time) (units []Unit, gap bool) {
	if !a.started {
		a.started, a.next = true, p.SequenceNumber
	}
	if int16(p.SequenceNumber-a.next) < 0 { //nolint:gosec // G115: RFC 3550 arithmetic
		return nil, false // a duplicate, or too late
	}
	a.held[p.SequenceNumber] = arrival{p, now}
	units = a.drain(units)
	for len(a.held) > 0 && a.impatient(now) {
		a.skip()
		gap = true
		units = a.drain(units)
	}
	return units, gap
}

// drain consumes the packets whose turn has come.
func (a *Assembler) drain(units []Unit) []Unit {
	for {
		here, ok := a.held[a.next]
		if !ok {
			return units
		}
		delete(a.held, a.next)
		a.next++
		units = a.consume(here.packet, units)
	}
}

// impatient reports whether the missing packet is not waited for any longer.
func (a *Assembler) impatient(now time.Time) bool {
	if len(a.held) > maxHeld {
		return true
	}
	for _, later := range a.held {
		if now.Sub(later.at) > Patience {
			return true
		}
	}
	return false
}

// skip goes on to the oldest packet that is there and forgets the picture that
// cannot be completed.
func (a *Assembler) skip() {
	nearest := uint16(1<<16 - 1)
	for seq := range a.held {
		nearest = min(nearest, seq-a.next)
	}
	a.next += nearest
	a.abandon()
}
