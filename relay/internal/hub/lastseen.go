package hub

import (
	"context"
	"maps"
	"sync"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

const (
	// noteEvery is how often the store is told which robots have left: all of them at
	// once, however many, and no socket waits for it.
	noteEvery = time.Second
	// noteTime bounds telling it.
	noteTime = 2 * time.Second
)

// departures are when robots left, as far as the store does not know yet.
type departures struct {
	mu sync.Mutex
	at map[wire.DeviceID]time.Time
}

func (d *departures) add(id wire.DeviceID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = map[wire.DeviceID]time.Time{}
	}
	d.at[id] = time.Now().UTC().Truncate(time.Second)
}

func (d *departures) all() map[wire.DeviceID]time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.at)
}

func (d *departures) of(robots []wire.DeviceID) map[wire.DeviceID]time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	theirs := map[wire.DeviceID]time.Time{}
	for _, id := range robots {
		if at, ok := d.at[id]; ok {
			theirs[id] = at
		}
	}
	return theirs
}

// forget drops what the store knows now. A robot may have left once more meanwhile.
func (d *departures) forget(noted map[wire.DeviceID]time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.at, func(id wire.DeviceID, at time.Time) bool { return noted[id].Equal(at) })
}

// LastSeen returns when a user's robots left last, of those that ever did.
func (h *Hub) LastSeen(ctx context.Context, user store.UserID, robots []wire.DeviceID) (map[wire.DeviceID]time.Time, error) {
	fresh := h.departed.of(robots) // before the store is asked, which may learn of them meanwhile
	seen, err := h.cfg.Devices.LastSeen(ctx, user)
	if err != nil {
		return nil, err
	}
	maps.Copy(seen, fresh)
	return seen, nil
}

// NoteDepartures tells the store which robots have left, now and then until ctx ends.
// [Hub.NoteLast] must follow, once the sockets have ended.
func (h *Hub) NoteDepartures(ctx context.Context) {
	look := time.NewTicker(noteEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			h.NoteLast(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// NoteLast tells the store of those that it does not know yet. What it does not take
// is kept for the next time.
func (h *Hub) NoteLast(ctx context.Context) {
	departed := h.departed.all()
	if len(departed) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	if err := h.cfg.Devices.Seen(ctx, departed); err != nil {
		h.cfg.Log.WarnContext(ctx, "note when robots left", "error", err)
		return
	}
	h.departed.forget(departed)
}
