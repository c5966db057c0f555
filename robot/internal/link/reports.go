package link

import (
	"time"

	"github.com/pion/rtcp"
)

// reports turns receiver reports into a bit rate that arrives.
type reports struct {
	packets, bytes int // that were sent since the last one
	last           rtcp.ReceptionReport
	at             time.Time // of the last one; zero: there was none
	kbps           int       // that arrived between the last two
	round          least     // trip
}

func (r *reports) sent(bytes int) {
	r.packets++
	r.bytes += bytes
}

// received takes in the block about the video of a receiver report (RFC 3550
// §6.4.1), which tells its own loss from that of what repairs it. Of an app that says
// no more, a round trip that is longer than it was is a queue.
func (m *meter) received(b rtcp.ReceptionReport, now time.Time) {
	m.loss = float64(b.FractionLost) / 256
	m.reports.next(b, m.loss, now)
	if took := roundTrip(b, now); took >= 0 && took < time.Minute { // else a clock was set
		m.rtt = took
	}
	if m.fine() {
		return
	}
	if m.heard = now.Add(-m.rtt); m.rtt > 0 {
		m.waiting, m.measured = m.rtt-m.reports.round.of(m.rtt, now), now
	}
}

// next takes in one more. Its numbers are an app's: no more arrived than was sent.
func (r *reports) next(b rtcp.ReceptionReport, loss float64, now time.Time) {
	if took := now.Sub(r.at); !r.at.IsZero() && r.packets > 0 && took > 0 {
		arrived := min(int(b.LastSequenceNumber-r.last.LastSequenceNumber), r.packets)
		bits := float64(arrived) * (1 - loss) * float64(r.bytes) / float64(r.packets) * 8
		r.kbps = int(bits / bitsPerKbit / took.Seconds())
	}
	r.last, r.at, r.packets, r.bytes = b, now, 0, 0
}

// roundTrip is how long the way there and back takes, and less than 0 if that is not
// known.
func roundTrip(b rtcp.ReceptionReport, now time.Time) time.Duration {
	if b.LastSenderReport == 0 {
		return -1
	}
	// All in 1/65536 s, the middle of an NTP timestamp.
	const era = 2_208_988_800                                                           // from 1900 to 1970, in seconds
	ntp := uint32((now.Unix()+era)<<16) + uint32(now.Nanosecond()/1000*65536/1_000_000) //nolint:gosec // G115: it wraps around
	return time.Duration(int32(ntp-b.LastSenderReport-b.Delay)) * time.Second / 65536   //nolint:gosec // G115: likewise
}
