package link

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestReceiverReport(t *testing.T) {
	var m meter
	now := time.Unix(1_700_000_000, 500_000_000)
	m.received(rtcp.ReceptionReport{FractionLost: 64}, now)
	if m.loss != 0.25 || m.rtt != 0 {
		t.Errorf("loss %v, round trip %v", m.loss, m.rtt)
	}
	const sent = uint32((1_700_000_000+2_208_988_800)&0xffff)<<16 + 0x4000 // a quarter of a second before
	m.received(rtcp.ReceptionReport{LastSenderReport: sent, Delay: 65536 / 8}, now)
	if m.loss != 0 || !near(m.rtt, 125*time.Millisecond, time.Millisecond) {
		t.Errorf("loss %v, round trip %v", m.loss, m.rtt)
	}
	m.received(rtcp.ReceptionReport{LastSenderReport: sent}, now.Add(-time.Hour))
	if !near(m.rtt, 125*time.Millisecond, time.Millisecond) {
		t.Errorf("round trip %v after the clock was set", m.rtt)
	}
}

// TestReportsAlone is of an app that says no more: what arrives and what waits come
// of its reports, and none of its numbers makes more of it than was sent.
func TestReportsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		highest uint32 // packet, of those since the report before
		lost    uint8
		kbps    int
	}{
		"all":             {100, 0, 1000},
		"half is waiting": {50, 0, 500},
		"a quarter lost":  {100, 64, 750},
		"more than all":   {1 << 31, 0, 1000},
		"backwards":       {math.MaxUint32, 0, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			var m meter
			now := time.Unix(1_700_000_000, 0)
			m.received(rtcp.ReceptionReport{LastSequenceNumber: 7}, now)
			for range 100 {
				m.sent(packetSize, now)
			}
			now = now.Add(time.Second)
			m.received(rtcp.ReceptionReport{LastSequenceNumber: 7 + c.highest, FractionLost: c.lost}, now)
			if got := m.delivered(now); got != c.kbps || m.heard != now {
				t.Errorf("%d kbit/s, heard of until %v", got, m.heard)
			}
		})
	}
}

func TestLongerRoundTripIsAQueue(t *testing.T) {
	var m meter
	now := time.Unix(1_700_000_000, 0)
	sent := uint32((now.Unix() + 2_208_988_800) << 16)
	trip := func(d time.Duration) time.Duration {
		m.received(rtcp.ReceptionReport{LastSenderReport: sent}, now.Add(d))
		return m.queue(now.Add(d))
	}
	if got := trip(100 * time.Millisecond); got != 0 {
		t.Errorf("%v at first", got)
	}
	if got := trip(300 * time.Millisecond); !near(got, 200*time.Millisecond, time.Millisecond) {
		t.Errorf("%v after 200 ms more", got)
	}
	if got := m.queue(now.Add(time.Second)); got != 0 {
		t.Errorf("%v after it had time to drain", got)
	}
}

// TestLimit: an app may say anything.
func TestLimit(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		bits float32
		kbps int
	}{
		{500_000, 500},
		{0, 1},
		{1, 1},
		{1e30, maxKbps},
		{float32(math.Inf(1)), maxKbps},
		{-1, 0},
		{float32(math.NaN()), 0},
		{float32(math.Inf(-1)), 0},
	} {
		var l limit
		l.set(c.bits, begin)
		if got := l.kbps(begin.Add(time.Second)); got != c.kbps {
			t.Errorf("%v bit/s: %d", c.bits, got)
		}
		if got := l.kbps(begin.Add(limitTime + time.Second)); got != 0 {
			t.Errorf("%v bit/s: still %d later on", c.bits, got)
		}
	}
}
