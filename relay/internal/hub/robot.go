package hub

import (
	"context"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// robot is one socket of a device.
type robot struct {
	client
	owner store.UserID
}

// ServeRobot serves the socket of an authenticated device until it ends. A
// newer socket of the same device takes its place at once and keeps its
// sessions; nobody waits for the old one.
func (h *Hub) ServeRobot(ctx context.Context, conn *ws.Conn, id wire.DeviceID, owner store.UserID) {
	me := bus.Sender{Party: wire.Robot, Device: id}
	r := &robot{client: h.newClient(conn, me), owner: owner}
	h.robots.Add(1)
	defer h.robots.Add(-1)
	h.cfg.Meter.Opened(wire.Robot)

	address := bus.RobotAddress(id)
	wasThere, _ := h.cfg.Bus.Owned(ctx, address)
	release := h.cfg.Bus.Claim(address, r.deliver, func() {
		conn.Close(wire.CloseReplaced, "replaced by a newer connection of this device")
	})
	r.announce(ctx, bus.Back, address)
	if !wasThere {
		r.publishStatus(ctx, true)
	}
	h.cfg.Log.InfoContext(ctx, "robot connected", "device", id, "replaced", wasThere)

	cause := conn.Serve(ctx, func(frame []byte) { r.receive(ctx, frame) })
	h.cfg.Meter.Closed(wire.Robot, cause)

	late, cancel := afterwards(ctx)
	defer cancel()
	last := release()
	h.cfg.Log.InfoContext(late, "robot left", "device", id, "cause", cause, "replaced", !last)
	if last {
		r.depart(late, address)
	}
}

// depart tells everybody that the robot is gone. A newer socket may have said
// that it is there before that; what is said last must be true.
func (r *robot) depart(ctx context.Context, address string) {
	r.announce(ctx, bus.Lost, address)
	r.publishStatus(ctx, false)
	if back, err := r.cfg.Bus.Owned(ctx, address); back && err == nil {
		r.announce(ctx, bus.Back, address)
		r.publishStatus(ctx, true)
	}
}

// publishStatus tells the owner's apps.
func (r *robot) publishStatus(ctx context.Context, online bool) {
	if r.owner == "" {
		return
	}
	r.cfg.Bus.Publish(ctx, bus.UserTopic(r.owner), bus.Envelope{
		From: bus.Sender{Party: wire.Relay}, Message: robotStatus(r.me.Device, online),
	})
}

func (r *robot) receive(ctx context.Context, frame []byte) {
	m, ok := r.decode(frame)
	if !ok {
		return
	}
	switch m.Type {
	case wire.TypeHello, wire.TypeHeartbeat:
		r.report(ctx, m)
	default:
		r.say(ctx, m)
	}
}

// report takes what a robot says of its sessions to each of them.
func (r *robot) report(ctx context.Context, m wire.Message) {
	for _, s := range m.Sessions {
		about := wire.Message{Type: m.Type, SessionID: s.SessionID, Sessions: []wire.SessionReport{s}}
		r.say(ctx, about)
	}
}
