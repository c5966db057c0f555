package hub

import (
	"context"
	"testing"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// TestSlowAppsAreNotWaitedFor: an app that takes nothing loses its connection,
// and what the robot tells reaches the other all the same.
func TestSlowAppsAreNotWaitedFor(t *testing.T) {
	b, heard := bus.NewMemory(), 0
	slow := &app{client: client{Hub: hubOn(b), conn: ws.New(nil, ws.Limits{})}} // nobody writes
	b.Join(bus.UserTopic("ann"), slow.deliver)
	b.Join(bus.UserTopic("ann"), func(context.Context, bus.Envelope) error {
		heard++
		return nil
	})
	owner := store.UserID("ann")
	r := &robot{client: client{Hub: hubOn(b), me: bus.Sender{Device: "robot"}}}
	r.owner.Store(&owner)
	const all = 1000
	for range all {
		r.event(t.Context(), wire.Message{Event: "bark"})
	}
	if heard != all {
		t.Errorf("the other heard %d of %d events", heard, all)
	}
	if slow.conn.Send(nil) {
		t.Error("the slow one is still there")
	}
}
