package hub

import (
	"context"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// event tells every app of the robot's owner what the robot says. Which robot
// it is the relay knows better; when it was the robot does, if it says so.
// Nobody is waited for: an app that does not keep up loses its connection, by
// which it knows, and neither the robot nor another app notices.
func (r *robot) event(ctx context.Context, m wire.Message) {
	owner := r.ownedBy()
	if owner == "" {
		return
	}
	m.DeviceID = r.me.Device
	if len(m.Timestamp) == 0 {
		m.Timestamp = wire.Stamp(time.Now())
	}
	r.cfg.Bus.Publish(ctx, bus.UserTopic(owner), bus.Envelope{From: r.me, Message: m})
}
