// Package quality decides which picture a viewer gets: how large, and at how
// many bits. What it decides by is a link's measured state; it has no clock and
// touches nothing, so all of it can be tested as a table.
package quality

import "image"

// Tier is one of the sizes in which the picture is sent.
type Tier int

// The tiers, from the smallest picture to the largest.
const (
	Low Tier = iota
	Medium
	High
	tiers int = iota
)

// String returns the tier's name on the wire (CONTRACT §6).
func (t Tier) String() string { return [...]string{"low", "medium", "high"}[t] }

// MarshalText is [Tier.String].
func (t Tier) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Rung is what a tier stands for on one robot.
type Rung struct {
	Size image.Point // in pixels, multiples of 16
	Kbps int         // the most that it is encoded at, kilobits (1000 bits) a second
}

// Ladder is the rungs of a robot, one for each tier.
type Ladder [tiers]Rung

// NewLadder derives the lower rungs from the highest: three quarters and half of
// its width and height, three fifths and four fifteenths of its bit rate. Of
// 1280x720 at 1500 kbit/s that is 960x544 at 900 and 640x368 at 400.
func NewLadder(size image.Point, kbps int) Ladder {
	return Ladder{
		Low:    {Size: wholeBlocks(size, 1, 2), Kbps: kbps * 4 / 15},
		Medium: {Size: wholeBlocks(size, 3, 4), Kbps: kbps * 3 / 5},
		High:   {Size: size, Kbps: kbps},
	}
}

// wholeBlocks is a fraction of a size, in the nearest multiples of 16 pixels.
func wholeBlocks(size image.Point, part, of int) image.Point {
	side := func(n int) int {
		const block = 16
		return max((2*n*part/of+block)/(2*block), 1) * block
	}
	return image.Pt(side(size.X), side(size.Y))
}

// Mode is what the viewer has asked for (CONTRACT §6, set_video_quality).
type Mode string

// The modes: the best that the link carries, or one tier for good.
const (
	Auto       Mode = "auto"
	OnlyLow    Mode = "low"
	OnlyMedium Mode = "medium"
	OnlyHigh   Mode = "high"
)

// Valid reports whether there is such a mode.
func (m Mode) Valid() bool {
	_, fixed := m.tier()
	return fixed || m == Auto
}

// tier returns the one tier of a mode that has but one.
func (m Mode) tier() (t Tier, fixed bool) {
	for t = range Tier(tiers) {
		if string(m) == t.String() {
			return t, true
		}
	}
	return High, false
}
