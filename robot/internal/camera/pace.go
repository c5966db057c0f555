package camera

import "time"

// pace leaves pictures out of a sequence that is faster than it should be.
type pace struct {
	interval time.Duration
	next     time.Time
}

func newPace(fps int) pace { return pace{interval: time.Second / time.Duration(fps)} }

// due reports whether the picture of a moment is to be shown. A quarter of an
// interval is what cameras are not punctual by.
func (p *pace) due(captured time.Time) bool {
	early := p.next.Sub(captured)
	switch {
	case p.next.IsZero() || early > 2*p.interval: // it begins, or begins anew
		p.next = captured
	case early > p.interval/4:
		return false
	case early < -p.interval: // there was a gap
		p.next = p.next.Add((-early).Truncate(p.interval))
	}
	p.next = p.next.Add(p.interval)
	return true
}

// metronome lets a camera give its pictures at a rate, the first one at once.
type metronome struct {
	interval time.Duration
	ticker   *time.Ticker // nil before the first picture
}

func newMetronome(fps float64) *metronome {
	return &metronome{interval: time.Duration(float64(time.Second) / fps)}
}

// wait waits until a picture is due. It reports false once the camera is closed.
func (m *metronome) wait(closed <-chan struct{}) bool {
	if m.ticker == nil {
		m.ticker = time.NewTicker(m.interval)
	} else {
		select {
		case <-m.ticker.C:
		case <-closed:
		}
	}
	select {
	case <-closed:
		m.ticker.Stop()
		return false
	default:
		return true
	}
}
