package quality

import (
	"math"
	"time"
)

// Link is the measured state of the way to a viewer.
type Link struct {
	Estimate  int           // what congestion control takes it to carry, kilobits a second
	Delivered int           // what arrived of late, kilobits a second
	Arriving  int           // how fast the latest packets came, one after the other: with a queue, what the link carries
	Loss      float64       // the part of the packets that did not, 0…1
	Queue     time.Duration // how long a packet waits on the way
}

// Decision is what a viewer is to get.
type Decision struct {
	Tier Tier
	Kbps int // at most
	// Pause: nothing, until what waits on the way has drained.
	Pause bool
	// Estimate is what congestion control should go on from, in kilobits a
	// second; 0: its own.
	Estimate int
}

// Controller decides for one viewer. Make one with [NewController].
type Controller struct {
	ladder Ladder
	mode   Mode
	tier   Tier
	others [tiers]int // what they can take who watch the same, kilobits a second

	estimate int       // of what the link carries, kilobits a second; 0: none yet
	trouble  time.Time // when there was a queue or a loss
	told     time.Time // when congestion control was told of another estimate

	probing bool
	before  int       // the estimate before the probe
	next    time.Time // when the probe ends, or the next one begins
	rest    time.Duration

	pausedAt time.Time // zero: it does not pause
	keyed    time.Time // when the last pause ended or the tier changed: a key frame waits on the way, and then little arrives

	climbed  time.Time     // when it went up last
	patience time.Duration // how long a higher tier must be worth it

	poorSince, richSince time.Time // since when the tier is too high, too low; zero: it is not
}

// NewController returns a controller in mode auto, which begins with the highest
// tier.
func NewController(l Ladder) *Controller {
	return &Controller{ladder: l, mode: Auto, tier: High, rest: restWorse, patience: climbAfter}
}

// Start is the estimate to begin with, in kilobits a second.
func (l Ladder) Start() int { return estimateFor(l[High].Kbps) }

// estimateFor is the estimate that video of a bit rate needs.
func estimateFor(kbps int) int { return int(math.Ceil(float64(kbps) / headroom)) }

// SetMode changes the mode from the next step on.
func (c *Controller) SetMode(m Mode) { c.mode = m }

// Mode returns the mode.
func (c *Controller) Mode() Mode { return c.mode }

// Step decides anew. It is called regularly, several times a second, and others
// is the most that another viewer can take who watches the same in each tier, in
// kilobits a second; 0 if there is none.
func (c *Controller) Step(now time.Time, l Link, others [tiers]int) Decision {
	c.others = others
	d := Decision{Pause: c.pause(now, l)}
	if l.Queue > quiet || l.Loss > heavy {
		c.trouble = now
	}
	if !d.Pause {
		c.follow(now, l)
		d.Estimate = c.probe(now, l)
	}
	can := max(int(float64(c.estimate)*headroom), c.floor())
	c.choose(now, can, l)
	d.Tier, d.Kbps = c.tier, min(can, c.limit())
	if d.Estimate == 0 && l.Estimate < c.estimate && now.Sub(c.told) > doubtTime {
		d.Estimate = c.estimate
	}
	if d.Estimate > 0 {
		c.told = now
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
