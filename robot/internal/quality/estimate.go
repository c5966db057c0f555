package quality

import "time"

// How a queue on the way is dealt with.
const (
	quiet      = 40 * time.Millisecond  // as good as none
	crowded    = 90 * time.Millisecond  // it grows: no more than this
	jammed     = 200 * time.Millisecond // nothing more until it has drained
	longest    = time.Second            // and then a frame, to see
	heavy      = 0.15                   // loss that is not the link's nature
	doubtTime  = 300 * time.Millisecond // for so long a queue explains a lower estimate
	refillTime = 700 * time.Millisecond // for so long after a pause too little arrives
	headroom   = 0.90                   // of the estimate is for the video, the rest for headers and repairs
)

// How the estimate is led upwards, since it does not find up by itself in time.
const (
	step       = 1.6
	probeTime  = 600 * time.Millisecond
	restBetter = 200 * time.Millisecond // after a probe that went well
	restWorse  = 2 * time.Second        // after one that did not, and twice as long after the next
	restMost   = 5 * time.Second
)

// follow takes congestion control's estimate over. When it falls without a queue
// or a loss to show for it, it is not believed: on links with a little jitter, and
// little video on them, it would go down to nothing. After a pause it is not known
// for a while: it rests on what arrives.
func (c *Controller) follow(now time.Time, l Link) {
	switch {
	case c.estimate == 0:
		c.estimate = l.Estimate
	case l.Estimate > c.estimate:
		c.estimate = min(l.Estimate, max(c.estimate, c.ceiling()))
	case now.Sub(c.trouble) < doubtTime && now.Sub(c.keyed) > refillTime:
		c.estimate = max(l.Estimate, min(c.estimate, l.Delivered*3/4), c.floor())
	}
}

// floor is what is always sent: with less there is no picture.
func (c *Controller) floor() int { return c.ladder[Low].Kbps / 4 }

// pause lets a jam drain. What comes out of the jam is what the link carries, and
// for a beginning it is to carry less. It goes on after a while in any case:
// without packets there is no feedback.
func (c *Controller) pause(now time.Time, l Link) bool {
	switch {
	case c.pausedAt.IsZero() && l.Queue > jammed && (now.Sub(c.keyed) > refillTime || l.Queue > 3*jammed):
		c.pausedAt = now
	case !c.pausedAt.IsZero() && (l.Queue < quiet || now.Sub(c.pausedAt) > longest):
		c.pausedAt, c.keyed = time.Time{}, now
	}
	if c.pausedAt.IsZero() {
		return false
	}
	if l.Queue > crowded {
		c.estimate = min(c.estimate, max(l.Arriving*7/10, c.floor()))
	}
	return true
}

// probe leads the estimate upwards: by more than half for a moment, and if no queue
// comes of it that is the estimate from then on.
func (c *Controller) probe(now time.Time, l Link) (estimate int) {
	if c.next.IsZero() {
		c.next = now.Add(c.rest)
	}
	trouble := l.Queue > crowded || l.Loss > heavy
	switch {
	case c.probing && trouble:
		c.probing = false
		c.rest = min(2*max(c.rest, restWorse/2), restMost)
		c.next = now.Add(c.rest)
		c.estimate = min(c.before, max(l.Delivered*8/10, c.floor())) // the queue is to drain
		return c.estimate
	case trouble:
		c.next = now.Add(max(c.rest, restWorse))
	case now.Before(c.next) || l.Queue > quiet:
	case c.probing:
		c.probing, c.rest = false, restBetter
		c.next = now.Add(c.rest)
	case c.estimate < c.ceiling():
		c.probing, c.before = true, c.estimate
		c.next = now.Add(probeTime)
		c.estimate = min(int(step*float64(c.estimate)), c.ceiling())
		return c.estimate
	}
	return 0
}
