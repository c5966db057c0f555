package main

import (
	"math"
	"strings"
	"time"

	"wimz.dev/live/simapp"
)

// curveLen is how many seconds a curve shows.
const curveLen = 60

// curves is how a viewing did in each of the last seconds.
type curves struct {
	fps, kbps, latency curve

	before simapp.Totals
	at     time.Time
}

// curve has the latest values, oldest first; one that is not known is NaN.
type curve []float64

// add takes what has been counted since the last time.
func (c *curves) add(t simapp.Totals, now time.Time) {
	if seconds := now.Sub(c.at).Seconds(); !c.at.IsZero() && seconds > 0 {
		c.fps.add(float64(t.Pictures-c.before.Pictures) / seconds)
		c.kbps.add(float64(t.Bytes-c.before.Bytes) * 8 / 1000 / seconds)
		latency := math.NaN()
		if t.Latency != nil && t.Pictures > c.before.Pictures {
			latency = *t.Latency
		}
		c.latency.add(latency)
	}
	c.before, c.at = t, now
}

func (c *curve) add(value float64) {
	*c = append(*c, value)
	if len(*c) > curveLen {
		*c = (*c)[1:]
	}
}

// last returns the newest value, NaN if there is none.
func (c curve) last() float64 {
	if len(c) == 0 {
		return math.NaN()
	}
	return c[len(c)-1]
}

// draw returns the curve in so many characters, the newest value at the right. The
// highest one fills a character, zero is its lowest step.
func (c curve) draw(width int) string {
	const steps = "▁▂▃▄▅▆▇█"
	shown := c[max(len(c)-width, 0):]
	highest := 0.0
	for _, v := range shown {
		if v > highest { // not for NaN
			highest = v
		}
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(shown)))
	for _, v := range shown {
		step := 0
		if math.IsNaN(v) {
			b.WriteByte(' ')
			continue
		}
		if highest > 0 {
			step = int(math.Round(max(v, 0) / highest * 7))
		}
		b.WriteString(string([]rune(steps)[step]))
	}
	return b.String()
}
