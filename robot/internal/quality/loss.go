package quality

import "time"

// What a loss says of the bit rate.
const (
	heavy     = 0.15                    // beyond the link's nature: too much is sent
	judgeTime = 4 * time.Second         // until the loss of a lower bit rate is known: reports come every second
	smooth    = 1500 * time.Millisecond // over which reports are taken together
	forget    = 5 * time.Second         // in which a link that is better by now is known to be
	mostLoss  = 0.5                     // that is taken for a link's nature
	telling   = 1.2                     // a factor of bit rates that tells something
)

// loss tells a link that is too narrow from one that loses by its nature: a loss
// that stays when less is sent is not made by what is sent (the inherent loss of
// loss-based control in Google congestion control).
type loss struct {
	nature float64   // the part that is lost at any bit rate
	now    float64   // the part that is lost of late
	known  time.Time // when that was looked at last

	cut    time.Time // when less was sent, to see; zero: no loss is on trial
	before float64   // the loss at that time
	more   float64   // by how much more was sent before, a factor
}

// heavy reports whether the link loses more than by its nature.
func (s *loss) heavy() bool { return s.now > s.nature+heavy }

// know takes in what is reported. Of few packets one report says little.
func (s *loss) know(now time.Time, l Link) {
	if !s.known.IsZero() {
		part := func(of time.Duration) float64 { return min(float64(now.Sub(s.known))/float64(of), 1) }
		s.now += (l.Loss - s.now) * part(smooth)
		s.nature += min(s.now-s.nature, 0) * part(forget)
	}
	s.known = now
}

// judge ends a trial. Were the link too narrow, as much as before would arrive of
// less that is sent; the verdict is what is nearer to that or to no change.
func (s *loss) judge() {
	narrow := max(1-(1-s.before)*s.more, 0)
	if s.more < telling { // it could not be lowered
		narrow = 0
	}
	if s.now > (s.before+narrow)/2 {
		s.nature = min(s.now, mostLoss)
	}
	s.cut = time.Time{}
}

// yield sends less when much gets lost, and waits to see whether that helps.
func (c *Controller) yield(now time.Time, l Link) {
	s := &c.loss
	switch {
	case l.Queue > quiet: // that is answer enough
		s.cut = time.Time{}
	case !s.cut.IsZero():
		if now.Sub(s.cut) > judgeTime {
			s.judge()
		}
	case s.heavy():
		lower := c.carried(l)
		s.cut, s.before, s.more = now, s.now, float64(c.estimate)/float64(lower)
		c.probe.failed(now)
		c.estimate = lower
	}
}
