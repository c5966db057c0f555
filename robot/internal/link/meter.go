package link

import (
	"time"

	"github.com/pion/interceptor/pkg/rtpfb"
	"github.com/pion/rtcp"
)

const (
	// Rates are taken of the last slots.
	slotTime = 100 * time.Millisecond
	slots    = 6
	// lastPackets is how many packets tell how fast they come: two or three frames,
	// but no key frame.
	lastPackets = 16
	// baseTime is for how long the shortest way counts as the empty one: routes
	// change, and clocks drift.
	baseTime = 15 * time.Second
	// sudden is what a queue is that nobody doubts.
	sudden = 300 * time.Millisecond
	// feedbackTime is how long after a packet its feedback may come when nothing
	// waits anywhere: it is sent every 100 ms.
	feedbackTime = 150 * time.Millisecond
)

// meter turns feedback into the figures of a link. The zero value is ready. It
// has no clock.
type meter struct {
	epoch time.Time // the first moment; a monotonic one, whatever the clock on the wall does
	slots [slots]slot

	// A packet's departure is told by this clock and its arrival by the other's:
	// only how the difference changes means something.
	base, older time.Duration // the least difference, since baseSince and in the time before
	baseSince   time.Time
	waiting     time.Duration // of the latest packets, beyond the least
	before      time.Duration // of those in the feedback before
	measured    time.Time     // when that was

	last   [lastPackets]rtpfb.PacketReport // that arrived, a ring
	landed int                             // how many arrived

	unheard  time.Time // since when there are packets without feedback; zero: none are
	lastSent time.Time

	loss float64 // of the last receiver report
	rtt  time.Duration
}

// slot counts what feedback said in a tenth of a second.
type slot struct {
	number int64 // of the tenth of a second
	bytes  int   // that arrived
}

// since is the time since the first moment.
func (m *meter) since(t time.Time) time.Duration {
	if m.epoch.IsZero() {
		m.epoch = t
	}
	return t.Sub(m.epoch)
}

func (m *meter) sent(now time.Time) {
	m.lastSent = now
	if m.unheard.IsZero() {
		m.unheard = now
	}
}

func (m *meter) report(packets []rtpfb.PacketReport, now time.Time) {
	s := m.slot(now)
	least, newest, found := time.Duration(0), time.Time{}, false
	for _, p := range packets {
		if !p.Arrived {
			continue
		}
		s.bytes += p.Size
		m.last[m.landed%lastPackets] = p
		m.landed++
		if p.Departure.After(newest) {
			newest = p.Departure
		}
		// The time on the way, but for a constant.
		if way := p.Arrival.Sub(time.Time{}) - m.since(p.Departure); !found || way < least {
			least, found = way, true
		}
	}
	if !found {
		return
	}
	m.rebase(least, now)
	m.waited(least-min(m.base, m.older), now)
	switch {
	case !newest.Before(m.lastSent):
		m.unheard = time.Time{}
	case newest.After(m.unheard):
		m.unheard = newest
	}
}

// waited notes for how long packets waited. It takes two to say so, unless it is
// long: programs that have to wait for the processor look like a queue, too.
func (m *meter) waited(d time.Duration, now time.Time) {
	m.waiting, m.before, m.measured = min(d, m.before), d, now
	if d > sudden {
		m.waiting = d
	}
}

// received takes in the block about the video of a receiver report (RFC 3550
// §6.4.1), which tells its own loss from that of what repairs it.
func (m *meter) received(r rtcp.ReceptionReport, now time.Time) {
	m.loss = float64(r.FractionLost) / 256
	if r.LastSenderReport == 0 {
		return
	}
	// All in 1/65536 s, the middle of an NTP timestamp.
	const era = 2_208_988_800                                                           // from 1900 to 1970, in seconds
	ntp := uint32((now.Unix()+era)<<16) + uint32(now.Nanosecond()/1000*65536/1_000_000) //nolint:gosec // G115: it wraps around
	took := time.Duration(int32(ntp-r.LastSenderReport-r.Delay)) * time.Second / 65536  //nolint:gosec // G115: likewise
	if took >= 0 && took < time.Minute {                                                // else a clock was set
		m.rtt = took
	}
}

// rebase keeps the least transit time of the last while. One that is far off all
// before is another clock's: the feedback's wraps around.
func (m *meter) rebase(way time.Duration, now time.Time) {
	const another = time.Minute
	known := min(m.base, m.older)
	switch {
	case m.baseSince.IsZero() || way-known > another || known-way > another:
		m.base, m.older, m.baseSince = way, way, now
	case now.Sub(m.baseSince) > baseTime:
		m.base, m.older, m.baseSince = way, m.base, now
	default:
		m.base = min(m.base, way)
	}
}

// queue returns how long a packet that leaves now has to wait on the way. What
// was measured drains while nothing more is said; feedback that stays out is a
// queue too, unless there never was any: not all apps send it.
func (m *meter) queue(now time.Time) time.Duration {
	wait := max(m.waiting-now.Sub(m.measured), 0)
	if !m.unheard.IsZero() && !m.measured.IsZero() {
		wait = max(wait, now.Sub(m.unheard)-feedbackTime)
	}
	return wait
}

// delivered returns what arrived of late, in kilobits a second.
func (m *meter) delivered(now time.Time) int {
	bits, oldest := 0, m.number(now)-slots
	for _, s := range m.slots {
		if s.number > oldest {
			bits += s.bytes * 8
		}
	}
	return bits / (slots * int(slotTime/time.Millisecond))
}

// arriving returns how fast the latest packets came one after the other, in
// kilobits a second; 0 if there were too few.
func (m *meter) arriving() int {
	n := min(m.landed, lastPackets)
	if n < 2 {
		return 0
	}
	first, last := m.last[(m.landed-n)%lastPackets], m.last[(m.landed-1)%lastPackets]
	bits := -first.Size * 8
	for _, p := range m.last[:n] {
		bits += p.Size * 8
	}
	return int(float64(bits) / 1000 / max(last.Arrival.Sub(first.Arrival), time.Millisecond).Seconds())
}

// slot returns the one of now, emptied if it still has old figures.
func (m *meter) slot(now time.Time) *slot {
	number := m.number(now)
	s := &m.slots[number%slots]
	if s.number != number {
		*s = slot{number: number}
	}
	return s
}

func (m *meter) number(now time.Time) int64 { return max(int64(m.since(now)/slotTime), 0) }
