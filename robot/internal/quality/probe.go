package quality

import (
	"cmp"
	"time"
)

// How the estimate is led upwards, since it does not find up by itself in time: by
// probes. A probe of a link that carries no more than before makes a queue of at
// most the time that it may cost.
const (
	probeTime  = 600 * time.Millisecond
	timid      = 60 * time.Millisecond  // what a probe may cost after one that went ill
	boldest    = 360 * time.Millisecond // after some that went well: each costs twice as much as the one before
	restBetter = 200 * time.Millisecond // after one that went well
	restWorse  = 2 * time.Second        // after one that did not, and twice as long after the next
	restMost   = 6 * time.Second
	restWide   = 500 * time.Millisecond // on a link that was seen to carry
	wide       = 2                      // times as much
	deaf       = 3 * time.Second        // for so long a probe waits to be heard of
)

// probe is a trial of a higher estimate.
type probe struct {
	on    bool
	begun time.Time
	next  time.Time     // when the next one may begin
	from  int           // the estimate before it
	found int           // the estimate beyond which one went ill; 0: none has, or not any more
	bold  time.Duration // what it may cost
	rest  time.Duration // after it
}

// failed ends a probe, if there is one, and makes the next one later and gentler.
func (p *probe) failed(now time.Time) {
	if p.on {
		p.found = p.from
	}
	p.on, p.bold = false, timid
	p.rest = min(2*max(p.rest, restWorse/2), restMost)
	p.next = now.Add(p.rest)
}

// went ends a probe that went well.
func (p *probe) went(now time.Time, estimate int) {
	if p.bold = min(2*p.bold, boldest); p.found > 0 && estimate > p.found {
		p.bold, p.found = timid, 0
	}
	p.on, p.rest, p.next = false, restBetter, now.Add(restBetter)
}

// explore leads the estimate upwards: by a step for a moment, and if no queue comes
// of it, as far as that has been heard of, it is the estimate from then on. On a link
// that was seen to carry much more a little queue is a program that has to wait for
// the processor, and one probe that went ill proves little.
func (c *Controller) explore(now time.Time, l Link) {
	p, sign, most := &c.probe, quiet, restMost
	if l.Arriving > wide*c.estimate {
		sign, most = jammed, restWide
	}
	trouble := l.Queue > max(sign, crowded) || c.loss.heavy()
	if p.on {
		switch {
		case l.Queue > sign || trouble || now.Sub(p.begun) > deaf:
			c.retreat(now, l, trouble)
		case now.Sub(p.begun) >= probeTime && l.Heard.Sub(p.begun) >= probeTime/2:
			p.went(now, c.estimate)
		}
		return
	}
	p.next = earlier(p.next, now.Add(most))
	switch {
	case trouble:
		p.next = now.Add(max(p.rest, restWorse))
	case now.Before(p.next) || l.Queue > sign || now.Sub(l.Heard) > deaf:
	case c.estimate < c.ceiling():
		p.on, p.begun, p.from = true, now, c.estimate
		c.estimate = min(c.aim(l), c.ceiling())
	}
}

// retreat ends a probe that went ill.
func (c *Controller) retreat(now time.Time, l Link, trouble bool) {
	c.probe.failed(now)
	c.estimate = min(c.estimate, c.probe.from)
	switch {
	case trouble:
		c.estimate = c.carried(l)
	case l.Arriving > 0:
		c.estimate = max(min(c.estimate, l.Arriving), c.floor())
	}
}

// earlier returns the earlier time.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// aim is the estimate that is tried next. What the link was seen to carry costs
// nothing, and more than that is approached in small steps.
func (c *Controller) aim(l Link) int {
	step := func(cost time.Duration) int { return c.estimate + int(int64(c.estimate)*int64(cost)/int64(probeTime)) }
	switch carries := cmp.Or(l.Arriving, c.probe.found); {
	case carries == 0:
		return step(c.probe.bold)
	case c.estimate < carries:
		return min(step(c.probe.bold), carries)
	default:
		return step(timid)
	}
}
