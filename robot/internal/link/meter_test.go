package link

import (
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/rtpfb"
)

// road carries packets of 1250 bytes, and reports every 100 ms.
type road struct {
	meter
	now   time.Time
	delay time.Duration // on the way
	back  time.Duration // until a report comes
}

const (
	packetTime = 10 * time.Millisecond
	packetSize = 1250 // a megabit a second
)

// ahead is by how much the other's clock is ahead.
const ahead = 1000 * time.Hour

func newRoad() *road { return &road{now: time.Now(), delay: 30 * time.Millisecond} }

// drive sends packets for a while. delay says how each one's way differs from the
// one before.
func (r *road) drive(d, longer time.Duration) {
	var packets []rtpfb.PacketReport
	for range d / packetTime {
		r.now = r.now.Add(packetTime)
		r.delay += longer
		r.sent(packetSize, r.now)
		packets = append(packets, r.packet(0))
		if len(packets) == 10 {
			r.report(packets, r.now.Add(r.back))
			packets = nil
		}
	}
}

// packet is one that leaves now and waits for a time.
func (r *road) packet(wait time.Duration) rtpfb.PacketReport {
	return rtpfb.PacketReport{
		Size: packetSize, Arrived: true, Departure: r.now,
		Arrival: time.Time{}.Add(ahead + r.now.Sub(time.Unix(1_700_000_000, 0)) + r.delay + wait),
	}
}

func near(got, want, tolerance time.Duration) bool {
	return got > want-tolerance && got < want+tolerance
}

func TestQueue(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	if got := r.queue(r.now); got != 0 {
		t.Errorf("%v on an empty way", got)
	}
	r.drive(time.Second, time.Millisecond) // it grows by 100 ms a second
	if got := r.queue(r.now); !near(got, 85*time.Millisecond, 12*time.Millisecond) {
		t.Errorf("%v after a second in which it grew by 100 ms", got)
	}
	if got := r.queue(r.now.Add(50 * time.Millisecond)); !near(got, 35*time.Millisecond, 12*time.Millisecond) {
		t.Errorf("%v when nothing has come for 50 ms", got)
	}
	if got := r.queue(r.now.Add(time.Second)); got != 0 {
		t.Errorf("%v when nothing was sent for a second", got)
	}
}

// TestDrainedQueue has packets wait for a second, and be heard of only then: by that
// time there is no queue any more, unless others left meanwhile.
func TestDrainedQueue(t *testing.T) {
	for name, c := range map[string]struct {
		rest bool
		want time.Duration
	}{"nothing has left since": {true, 150 * time.Millisecond}, "others have": {false, time.Second}} {
		t.Run(name, func(t *testing.T) {
			r := newRoad()
			r.drive(2*time.Second, 0)
			waited := r.packet(time.Second)
			for heard := r.now.Add(time.Second + r.delay); r.now.Before(heard); r.now = r.now.Add(packetTime) {
				if !c.rest {
					r.sent(packetSize, r.now)
				}
			}
			r.report([]rtpfb.PacketReport{waited}, r.now)
			if got := r.queue(r.now); !near(got, c.want, 50*time.Millisecond) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestOneLateReportIsNoQueue(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	r.delay += 150 * time.Millisecond
	r.drive(100*time.Millisecond, 0)
	if got := r.queue(r.now); got != 0 {
		t.Errorf("%v after one late report", got)
	}
	r.drive(100*time.Millisecond, 0)
	if got := r.queue(r.now); !near(got, 150*time.Millisecond, 5*time.Millisecond) {
		t.Errorf("%v after two", got)
	}
	r.delay += time.Second
	r.drive(100*time.Millisecond, 0)
	if got := r.queue(r.now); got < time.Second {
		t.Errorf("%v after a second's delay", got)
	}
}

// TestStall has an app do nothing for a while: what it finds then comes at once.
func TestStall(t *testing.T) {
	for name, c := range map[string]struct {
		apart time.Duration // one packet from the other
		queue bool
	}{"a program": {20 * time.Microsecond, false}, "a link": {5 * time.Millisecond, true}} {
		t.Run(name, func(t *testing.T) {
			r := newRoad()
			r.drive(2*time.Second, 0)
			for range 2 {
				var packets []rtpfb.PacketReport
				for i := range 20 {
					r.now = r.now.Add(packetTime)
					r.sent(packetSize, r.now)
					found := time.Duration(20-i)*packetTime + time.Duration(i)*c.apart + 100*time.Millisecond
					packets = append(packets, r.packet(found))
				}
				r.report(packets, r.now)
			}
			if got := r.queue(r.now); got > 0 != c.queue {
				t.Errorf("a queue of %v", got)
			}
		})
	}
}

// TestLongStall: what comes so late is late, whatever kept it.
func TestLongStall(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	var packets []rtpfb.PacketReport
	for i := range 100 {
		r.now = r.now.Add(packetTime)
		r.sent(packetSize, r.now)
		packets = append(packets, r.packet(time.Duration(150-i)*packetTime))
	}
	r.report(packets, r.now)
	if got := r.queue(r.now); got < sudden {
		t.Errorf("%v after a second", got)
	}
}

// TestLateFeedback: where it was late without a queue it may be late again.
func TestLateFeedback(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	late := func() (most time.Duration) {
		var packets []rtpfb.PacketReport
		for range 50 {
			r.now = r.now.Add(packetTime)
			r.sent(packetSize, r.now)
			packets = append(packets, r.packet(0))
			most = max(most, r.queue(r.now))
		}
		r.report(packets, r.now)
		return most
	}
	if first, then := late(), late(); first < 200*time.Millisecond || then > 20*time.Millisecond {
		t.Errorf("a queue of %v, and then of %v", first, then)
	}
}

// TestRateWithAStall: the one wait of a program that reads does not count.
func TestRateWithAStall(t *testing.T) {
	trains := make([]train, 16)
	for i := range trains {
		trains[i] = train{10_000, 10 * time.Millisecond}
	}
	for _, stall := range []time.Duration{0, 10 * time.Millisecond, time.Second} {
		if trains[7].took = stall; stall > 0 {
			if got := pace(trains); got != 1000 {
				t.Errorf("%d kbit/s with a wait of %v", got, stall)
			}
		}
	}
	if pace(nil) != 0 || pace(trains[:1]) != 0 {
		t.Error("a rate of one packet")
	}
}

// TestFarAway: a long way is not a queue, neither there nor back.
func TestFarAway(t *testing.T) {
	r := newRoad()
	r.back = 400 * time.Millisecond
	for range 20 {
		r.drive(100*time.Millisecond, 0)
		if got := r.queue(r.now.Add(r.back)); got != 0 {
			t.Errorf("%v on an empty way", got)
		}
	}
}

// TestSilenceIsAQueue sends packets of which nothing is heard.
func TestSilenceIsAQueue(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	for range 10 {
		r.now = r.now.Add(100 * time.Millisecond)
		r.sent(packetSize, r.now)
	}
	if got := r.queue(r.now); !near(got, 650*time.Millisecond, 20*time.Millisecond) {
		t.Errorf("%v after nothing was heard for 0.9 s", got)
	}
	r.drive(time.Second, 0)
	if got := r.queue(r.now); got != 0 {
		t.Errorf("%v when it is heard again", got)
	}
}

// TestNoFeedbackAtAll is an app that knows none.
func TestNoFeedbackAtAll(t *testing.T) {
	r := newRoad()
	for range 100 {
		r.now = r.now.Add(100 * time.Millisecond)
		r.sent(packetSize, r.now)
	}
	if got := r.queue(r.now); got != 0 {
		t.Errorf("%v where nothing is ever heard", got)
	}
}

// TestAnotherRoute: a longer way is not a queue for ever.
func TestAnotherRoute(t *testing.T) {
	r := newRoad()
	r.drive(2*time.Second, 0)
	r.delay += 200 * time.Millisecond
	r.drive(40*time.Second, 0)
	if got := r.queue(r.now); got != 0 {
		t.Errorf("%v on a longer way", got)
	}
}

func TestRates(t *testing.T) {
	r := newRoad()
	if r.delivered(r.now) != 0 || r.arriving() != 0 {
		t.Error("something arrives of nothing")
	}
	r.drive(2*time.Second, 0)
	if got := r.delivered(r.now); got < 900 || got > 1100 {
		t.Errorf("%d kbit/s delivered of 1000", got)
	}
	r.drive(2*time.Second, packetTime) // each takes twice as long
	if got := r.arriving(); got < 450 || got > 550 {
		t.Errorf("%d kbit/s come through at half the rate", got)
	}
	if got := r.delivered(r.now.Add(time.Second)); got != 0 {
		t.Errorf("%d kbit/s in a second without any", got)
	}
}
