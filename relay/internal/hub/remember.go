package hub

import (
	"time"

	"wimz.dev/live/relay/wire"
)

// rememberTime is how long a socket believes what it has asked the store about
// its user's robots. Drivers send 20 to 50 commands a second; a query for each
// would be most of what the store does. When a robot has another owner
// [Hub.OwnerChanged] tells; the time is short in case that nobody could tell it.
const rememberTime = time.Second

// remembered is what the store said of a user's robots a moment ago. One
// goroutine uses it.
type remembered struct {
	robots   []wire.DeviceID
	err      error
	at       time.Time
	pairings uint64
}

// get asks if what is remembered may no longer hold. An error is remembered,
// too: a store that fails is not asked more often than one that answers.
func (r *remembered) get(h *Hub, ask func() ([]wire.DeviceID, error)) ([]wire.DeviceID, error) {
	// Read before asking: a change that comes in between is not missed.
	pairings := h.pairings.Load()
	if pairings != r.pairings || time.Since(r.at) >= rememberTime {
		robots, err := ask()
		*r = remembered{robots, err, time.Now(), pairings}
	}
	return r.robots, r.err
}
