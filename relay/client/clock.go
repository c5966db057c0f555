package client

import (
	"net/http"
	"time"

	"wimz.dev/live/relay/wire"
)

// maxAhead bounds by how much the relay's word may move the time that a robot signs:
// who speaks in the relay's place, which TLS prevents, gets no signature for a
// distant day.
const maxAhead = 24 * time.Hour

// clock is the time that signatures carry (CONTRACT §3.2). It begins as this
// machine's. When that was set wrong, by hours even, the relay refuses the signature,
// and its answer says what the time is there: the next one is signed for that time.
type clock struct {
	ahead  time.Duration // of this machine's clock
	newest time.Time     // that the relay has accepted
}

// now returns the time to sign. It does not go back behind what the relay has
// accepted when this machine's clock is corrected by a little: an older signature is
// refused.
func (c *clock) now() time.Time {
	now := time.Now().Add(c.ahead)
	if behind := c.newest.Sub(now); behind > 0 && behind < wire.SignatureWindow {
		return c.newest
	}
	return now
}

// accepted notes the time on the wall: of what was set meanwhile the monotonic clock
// knows nothing.
func (c *clock) accepted(at time.Time) { c.newest = at.Round(0) }

// refused takes in what the relay says with its refusal.
func (c *clock) refused(answer http.Header) {
	there, err := http.ParseTime(answer.Get("Date"))
	if err != nil {
		return
	}
	c.ahead = 0
	if ahead := time.Until(there); ahead.Abs() >= wire.SignatureWindow/2 && ahead.Abs() <= maxAhead {
		c.ahead = ahead
	}
}
