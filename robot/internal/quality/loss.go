package quality

import "time"

// What a loss says of the bit rate.
const (
	heavy     = 0.15                    // beyond the link's nature: too much is sent
	smooth    = 1500 * time.Millisecond // over which reports are taken together
	judgeTime = 4 * time.Second         // until the loss of a lower bit rate is known: reports come every second
	forget    = 5 * time.Second         // in which a link that is better by now is known to be
	mostLoss  = 0.5                     // that is taken for a link's nature
	lossy     = 0.10                    // a nature with which small pictures are better
	repairs   = 0.25                    // for each bit of video, in any case
)

// loss tells a link that is too narrow from one that loses by its nature: what is
// still lost when less is sent than arrived before is not made by what is sent (the
// inherent loss of loss-based control in Google congestion control).
type loss struct {
	nature float64   // the part that is lost at any bit rate
	now    float64   // the part that is lost of late
	known  time.Time // when that was looked at last
	cut    time.Time // when less was sent, to see; zero: no loss is on trial
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

// repairs is how much may be sent again for each bit of video. Where no queue is, a
// loss may be repaired, and what is lost of the repairs.
func (c *Controller) repairs(l Link) float64 {
	if l.Queue > quiet {
		return repairs
	}
	return repairs + 2*min(c.loss.now, mostLoss)
}

// yield sends less when much gets lost, and waits to see how much still does.
func (c *Controller) yield(now time.Time, l Link) {
	s := &c.loss
	switch {
	case l.Queue > quiet: // that says more
	case !s.cut.IsZero():
		if now.Sub(s.cut) > judgeTime {
			s.nature, s.cut = max(s.nature, min(s.now, mostLoss)), time.Time{}
		}
	case s.heavy():
		s.cut = now
		c.probe.failed(now)
		c.estimate = max(min(c.estimate, l.Delivered*3/4), c.floor()) // a policer has no queue and so no pace
	}
}
