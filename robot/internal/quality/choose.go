package quality

import "time"

// The parts of a tier's bit rate at which a viewer leaves it. What lies between
// them keeps a viewer whose link is near the edge from going to and fro.
const (
	leaveBelow = 0.50 // of this tier's
	climbAbove = 0.70 // of the next tier's
)

// How long a tier must be worth it.
const (
	fallAfter  = 500 * time.Millisecond
	climbAfter = 1500 * time.Millisecond
	climbMost  = 6 * time.Second // after stays that were short
	shortStay  = 8 * time.Second
)

// ceiling is the highest estimate that is of use.
func (c *Controller) ceiling() int {
	return min(int(float64(c.most())/c.share())+1, c.limit)
}

// share is the part of the estimate that is for the video.
func (c *Controller) share() float64 { return headroom * (1 - c.loss.nature) }

// most is what a tier gets at most. Below the top that is what the next one needs,
// so that it is known to be carried before it is climbed to.
func (c *Controller) most() int {
	if c.tier >= c.top() {
		return c.ladder[c.tier].Kbps
	}
	return max(c.ladder[c.tier].Kbps, c.entry(c.tier+1))
}

// top is the highest tier there may be. Where much is lost a picture of many packets
// seldom comes whole, whatever is sent again.
func (c *Controller) top() Tier {
	t, fixed := c.mode.tier()
	if !fixed && c.loss.nature > lossy {
		return Medium
	}
	return t
}

// choose chooses the tier.
func (c *Controller) choose(now time.Time, can int, l Link) {
	if t, fixed := c.mode.tier(); fixed {
		if c.tier != t {
			c.tier, c.keyed = t, now
		}
		c.poorSince, c.richSince = time.Time{}, time.Time{}
		return
	}
	urgent := l.Queue > crowded || !c.pausedAt.IsZero()
	switch {
	case c.poor(can):
		c.richSince = time.Time{}
		since(&c.poorSince, now)
		if urgent || now.Sub(c.poorSince) >= fallAfter {
			c.fall(now, can, l)
		}
	case c.rich(can):
		c.poorSince = time.Time{}
		since(&c.richSince, now)
		if now.Sub(c.richSince) >= c.patience && l.Queue <= quiet {
			c.tier++
			c.keyed, c.climbed, c.richSince = now, now, time.Time{}
		}
	default:
		c.poorSince, c.richSince = time.Time{}, time.Time{}
	}
}

// since notes the beginning of something.
func since(t *time.Time, now time.Time) {
	if t.IsZero() {
		*t = now
	}
}

// poor reports whether the tier is too high, for the link or for those who share
// it: with much less than they can take a viewer would hold them down. After a jam
// a tier must be worth a key frame.
func (c *Controller) poor(can int) bool {
	if c.tier == Low {
		return false
	}
	if c.tier > c.top() {
		return true
	}
	least := leaveBelow
	if !c.pausedAt.IsZero() {
		least = climbAbove
	}
	return float64(can) < least*float64(c.ladder[c.tier].Kbps) || 4*can < 3*c.shared(c.tier)
}

// rich reports whether the next tier can be had.
func (c *Controller) rich(can int) bool { return c.tier < c.top() && can >= c.entry(c.tier+1) }

// entry is the bit rate with which a tier may be entered: its share, and about what
// others have there.
func (c *Controller) entry(t Tier) int {
	return max(int(climbAbove*float64(c.ladder[t].Kbps)), c.shared(t)*9/10)
}

// shared is the bit rate at which others watch a tier.
func (c *Controller) shared(t Tier) int { return min(c.others[t], c.ladder[t].Kbps) }

// fall goes down as far as is needed. Who has to come down soon after a climb waits
// for longer before the next one. A key frame that would wait behind a queue waits
// here.
func (c *Controller) fall(now time.Time, can int, l Link) {
	if now.Sub(c.climbed) < shortStay {
		c.patience = min(2*c.patience, climbMost)
	} else {
		c.patience = climbAfter
	}
	for c.poor(can) {
		c.tier--
	}
	if c.pausedAt.IsZero() && l.Queue > crowded && now.Sub(c.keyed) > refillTime {
		c.pausedAt = now
	}
	c.keyed, c.poorSince = now, time.Time{}
}
