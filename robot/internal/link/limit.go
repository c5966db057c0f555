package link

import "time"

// limitTime is for how long an app's word about the most that it wants counts. Apps
// that have one repeat it every second.
const limitTime = 5 * time.Second

// maxKbps bounds it: nothing here sends as much.
const maxKbps = 20_000

// limit is the most that an app wants. The zero value has none.
type limit struct {
	wanted int // kilobits a second
	said   time.Time
}

// set takes in what an app says, in bits a second, which may be anything.
func (l *limit) set(bits float32, now time.Time) {
	if bits >= 0 { // and so a number
		l.wanted, l.said = int(min(bits/bitsPerKbit, maxKbps)), now
	}
}

// kbps returns the limit, 0 if there is none. An app that wants nothing gets the
// least that there is.
func (l *limit) kbps(now time.Time) int {
	if l.said.IsZero() || now.Sub(l.said) > limitTime {
		return 0
	}
	return max(l.wanted, 1)
}
