package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

// fleetTime is how long the relay may take to have all robots online that are
// connected.
const fleetTime = 10 * time.Second

// fleet is which robots the relay does not have online yet, as it tells apps
// (CONTRACT §5): a robot that is connected is not there for apps until then.
type fleet struct {
	complete chan struct{} // closed when none is missing

	mu      sync.Mutex
	missing map[wire.DeviceID]bool
}

func newFleet(robots []Robot) *fleet {
	f := &fleet{complete: make(chan struct{}), missing: map[wire.DeviceID]bool{}}
	for _, r := range robots {
		f.missing[r.ID] = true
	}
	return f
}

// online takes note of a robot.
func (f *fleet) online(id wire.DeviceID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.missing[id] {
		return
	}
	delete(f.missing, id)
	if len(f.missing) == 0 {
		close(f.complete)
	}
}

// wait returns when all robots are online.
func (f *fleet) wait(ctx context.Context) error {
	late := time.NewTimer(fleetTime)
	defer late.Stop()
	select {
	case <-f.complete:
		return nil
	case <-late.C:
		f.mu.Lock()
		defer f.mu.Unlock()
		return fmt.Errorf("%d robots are connected, but not there for this account; are they its own?", len(f.missing))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
