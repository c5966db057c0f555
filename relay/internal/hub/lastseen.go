package hub

import (
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

// departures remembers when each robot left, since this process began: as many as
// there are devices.
type departures struct {
	mu sync.Mutex
	at map[wire.DeviceID]time.Time
}

func (d *departures) note(id wire.DeviceID, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = map[wire.DeviceID]time.Time{}
	}
	d.at[id] = at
}

// LastSeen returns when a robot that is not there was there last, and zero if this
// process has never seen it.
func (h *Hub) LastSeen(id wire.DeviceID) time.Time {
	h.departed.mu.Lock()
	defer h.departed.mu.Unlock()
	return h.departed.at[id]
}
