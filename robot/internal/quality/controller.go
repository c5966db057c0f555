package quality

import (
	"math"
	"time"
)

// Link is the measured state of the way to a viewer. How it was measured depends on
// what the app says: of each packet, or only in sum.
type Link struct {
	Limit     int           // more than this the app does not want, kilobits a second; 0: it does not say
	Delivered int           // what arrived of late, kilobits a second
	Arriving  int           // how fast packets came that waited one behind the other: what the link carries; 0: not known
	Loss      float64       // the part of the packets that did not arrive, 0…1
	Queue     time.Duration // how long a packet waits on the way
	Heard     time.Time     // what was sent until then is known of; zero: nothing is
}

// Decision is what a viewer is to get.
type Decision struct {
	Tier Tier
	Kbps int // at most
	// Pause: nothing, until what waits on the way has drained.
	Pause bool
	// Repairs is how much may be sent again beside it, in kilobits a second.
	Repairs int
}

// Controller decides for one viewer. Make one with [NewController].
type Controller struct {
	ladder Ladder
	mode   Mode
	tier   Tier
	others [tiers]int // what they can take who watch the same, kilobits a second

	estimate int // of what the link carries, kilobits a second
	limit    int // more the app does not want, kilobits a second

	probe probe
	loss  loss

	pausedAt time.Time // zero: it does not pause
	keyed    time.Time // when the last pause ended or the tier changed: a key frame waits on the way, and then little arrives

	climbed  time.Time     // when it went up last
	patience time.Duration // how long a higher tier must be worth it

	poorSince, richSince time.Time // since when the tier is too high, too low; zero: it is not
}

// NewController returns a controller in mode auto, which begins with the highest
// tier.
func NewController(l Ladder) *Controller {
	return &Controller{
		ladder: l, mode: Auto, tier: High, patience: climbAfter,
		estimate: int(float64(l[High].Kbps)/headroom) + 1, limit: math.MaxInt,
		probe: probe{rest: restWorse, bold: timid},
	}
}

// SetMode changes the mode from the next step on.
func (c *Controller) SetMode(m Mode) { c.mode = m }

// Mode returns the mode.
func (c *Controller) Mode() Mode { return c.mode }

// Step decides anew. It is called regularly, several times a second, and others
// is the most that another viewer can take who watches the same in each tier, in
// kilobits a second; 0 if there is none.
func (c *Controller) Step(now time.Time, l Link, others [tiers]int) Decision {
	c.others = others
	c.loss.know(now, l)
	if !c.pause(now, l) {
		c.follow(now, l)
		c.yield(now, l)
		c.explore(now, l)
	}
	can := max(int(float64(c.estimate)*c.share()), c.floor())
	c.choose(now, can, l)
	d := Decision{Tier: c.tier, Kbps: min(can, c.most()), Pause: !c.pausedAt.IsZero()}
	if !d.Pause {
		d.Repairs = int(float64(d.Kbps) * c.repairs(l))
	}
	return d
}

// Bars says how good the link is for what the viewer wants: 4 when it carries it,
// 0 when nothing gets through.
func (c *Controller) Bars(l Link) int {
	if !c.pausedAt.IsZero() {
		return 0
	}
	part := headroom * float64(c.estimate) / float64(c.ladder[c.top()].Kbps)
	bars := 1
	for _, need := range []float64{0.2, 0.4, 0.7} {
		if part >= need {
			bars++
		}
	}
	if l.Loss > heavy/2 {
		bars--
	}
	return bars
}
