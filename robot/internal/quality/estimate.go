package quality

import (
	"cmp"
	"math"
	"time"
)

// How a queue on the way is dealt with.
const (
	quiet      = 40 * time.Millisecond  // as good as none
	crowded    = 90 * time.Millisecond  // it grows: no more than this
	jammed     = 200 * time.Millisecond // nothing more until it has drained
	longest    = time.Second            // and then a frame, to see
	refillTime = 700 * time.Millisecond // a key frame's
	headroom   = 0.90                   // of the estimate is for the video, the rest for headers and repairs
)

// follow takes in what the link says: a queue, and the app's limit. A key frame makes
// a queue that is not the link's fault.
func (c *Controller) follow(now time.Time, l Link) {
	c.limit = math.MaxInt
	if l.Limit > 0 {
		c.limit = max(l.Limit, c.floor())
	}
	if l.Queue > quiet && now.Sub(c.keyed) > refillTime {
		c.estimate = c.carried(l)
	}
	c.estimate = min(c.estimate, c.limit)
}

// carried is an estimate with which a queue drains or a loss ends.
func (c *Controller) carried(l Link) int {
	return max(min(c.estimate, cmp.Or(l.Arriving*4/5, l.Delivered*3/4)), c.floor())
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
		c.probe.failed(now)
	case !c.pausedAt.IsZero() && (l.Queue < quiet || now.Sub(c.pausedAt) > longest):
		c.pausedAt, c.keyed = time.Time{}, now
	}
	if c.pausedAt.IsZero() {
		return false
	}
	if l.Queue > crowded {
		c.estimate = c.carried(l)
	}
	return true
}
