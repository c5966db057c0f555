package link

import "time"

// baseTime is for how long the shortest way counts as the empty one: routes
// change, and clocks drift.
const baseTime = 15 * time.Second

// least is the least of what was measured in the last while. The zero value has
// measured nothing.
type least struct {
	newer, older time.Duration // since a moment and in the time before
	since        time.Time
}

// of takes a measurement in and returns the least. One that is far off all before
// was made by another clock.
func (l *least) of(d time.Duration, now time.Time) time.Duration {
	const another = time.Minute
	switch known := l.least(); {
	case l.since.IsZero() || d-known > another || known-d > another:
		l.newer, l.older, l.since = d, d, now
	case now.Sub(l.since) > baseTime:
		l.newer, l.older, l.since = d, l.newer, now
	default:
		l.newer = min(l.newer, d)
	}
	return l.least()
}

func (l *least) least() time.Duration { return min(l.newer, l.older) }
