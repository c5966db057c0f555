package link

import (
	"time"

	"github.com/pion/interceptor/pkg/rtpfb"
)

const (
	// Rates are taken of the last slots.
	slotTime = 100 * time.Millisecond
	slots    = 6
	// lastPackets is how many packets that waited one behind the other tell how fast
	// they come: two or three frames, but no key frame.
	lastPackets = 16
	// atOnce is a bit rate, in kilobits a second, that tells of no link: packets that
	// come like this have waited for a program, which had to wait for the processor.
	atOnce = 20_000
	// resting is for how long no packet leaves when the video pauses: two frames.
	resting = 150 * time.Millisecond
	// sudden is what a queue is that nobody doubts.
	sudden = 300 * time.Millisecond
	// feedbackTime is for how long, beyond the round trip, a packet's feedback may
	// stay out when nothing waits anywhere: it is sent every 100 ms, by a program
	// that may have to wait for the processor.
	feedbackTime = 250 * time.Millisecond
	// Where it stayed out for longer without a wait that would matter, it may again,
	// up to the latest.
	harmless = 40 * time.Millisecond
	latest   = 700 * time.Millisecond
)

// meter turns feedback into the figures of a link. The zero value is ready. It
// has no clock.
type meter struct {
	epoch time.Time // the first moment; a monotonic one, whatever the clock on the wall does
	slots [slots]slot

	// A packet's departure is told by this clock and its arrival by the other's:
	// only how the difference changes means something.
	way      least         // the least difference of late
	turn     least         // the least time of late from a departure until its feedback
	lateness least         // of feedback without a queue, the most of late; less than 0
	waiting  time.Duration // of the latest packets, beyond the least
	before   time.Duration // of those in the feedback before
	measured time.Time     // when that was

	latest rtpfb.PacketReport // that arrived
	last   [lastPackets]train // a ring
	landed int                // how many were put there

	heard    time.Time // when the newest packet was sent of which there is feedback
	unheard  time.Time // since when there are packets without feedback; zero: none are
	lastSent time.Time

	reports reports
	loss    float64 // of the last receiver report
	rtt     time.Duration
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

func (m *meter) sent(bytes int, now time.Time) {
	m.reports.sent(bytes)
	m.lastSent = now
	if m.unheard.IsZero() {
		m.unheard = now
	}
}

func (m *meter) report(packets []rtpfb.PacketReport, now time.Time) {
	s := m.slot(now)
	soonest, newest, found := time.Duration(0), time.Time{}, false
	var together []train
	for _, p := range packets {
		if !p.Arrived {
			continue
		}
		s.bytes += p.Size
		if t, ok := m.coupled(p); ok {
			together = append(together, t)
		}
		if p.Departure.After(newest) {
			newest = p.Departure
		}
		if way := m.wayOf(p); !found || way < soonest {
			soonest, found = way, true
		}
	}
	if !found {
		return
	}
	wait := soonest - m.way.of(soonest, now)
	if wait <= sudden && pace(together) > atOnce {
		wait = 0
	}
	m.waited(wait, now)
	m.turn.of(now.Sub(newest), now)
	if wait < harmless && !m.unheard.IsZero() {
		m.lateness.of(m.unheard.Sub(now)+m.turn.least(), now)
	}
	m.heard = newest
	switch {
	case !newest.Before(m.lastSent):
		m.unheard = time.Time{}
	case newest.After(m.unheard):
		m.unheard = newest
	}
}

// wayOf is a packet's time on the way, but for a constant.
func (m *meter) wayOf(p rtpfb.PacketReport) time.Duration {
	return p.Arrival.Sub(time.Time{}) - m.since(p.Departure)
}

// coupled returns what a packet tells of the link's bit rate, if it does: it was sent
// before the one that came before it had come, and waited behind that one.
func (m *meter) coupled(p rtpfb.PacketReport) (t train, ok bool) {
	before := m.latest
	m.latest = p
	if before.Arrival.IsZero() || m.since(p.Departure)+m.way.least() >= before.Arrival.Sub(time.Time{}) {
		return train{}, false
	}
	t = train{p.Size * 8, max(p.Arrival.Sub(before.Arrival), 0)}
	m.last[m.landed%lastPackets] = t
	m.landed++
	return t, true
}

// waited notes for how long packets waited. It takes two to say so, unless it is
// long: programs that have to wait for the processor look like a queue, too.
func (m *meter) waited(d time.Duration, now time.Time) {
	m.waiting, m.before, m.measured = min(d, m.before), d, now
	if d > sudden {
		m.waiting = d
	}
}

// fine reports whether the app says of each packet when it came. Not all apps do.
func (m *meter) fine() bool { return !m.latest.Arrival.IsZero() }

// queue returns how long a packet that leaves now has to wait on the way. What was
// measured drains while nothing more is said, and while nothing leaves from soon after
// the last packet on: it is behind some of which nothing is known. Transport-wide feedback that stays out while packets leave is a queue too.
func (m *meter) queue(now time.Time) time.Duration {
	drains := m.measured
	if still := m.lastSent.Add(resting); m.fine() && still.Before(drains) {
		drains = still
	}
	wait := max(m.waiting-now.Sub(drains), 0)
	if !m.unheard.IsZero() && m.fine() {
		patience := min(max(feedbackTime, -m.lateness.least()), latest)
		wait = max(wait, m.lastSent.Sub(m.unheard)-m.turn.least()-patience)
	}
	return wait
}

// delivered returns what arrived of late, in kilobits a second.
func (m *meter) delivered(now time.Time) int {
	if !m.fine() {
		return m.reports.kbps
	}
	bits, oldest := 0, m.number(now)-slots
	for _, s := range m.slots {
		if s.number > oldest {
			bits += s.bytes * 8
		}
	}
	return bits / (slots * int(slotTime/time.Millisecond))
}

// arriving returns how fast the latest packets came that waited one behind the
// other, in kilobits a second; 0 if there were none.
func (m *meter) arriving() int { return pace(m.last[:min(m.landed, lastPackets)]) }

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
