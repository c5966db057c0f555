package hub

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// lookAgain is how often a robot that is nobody's is looked up, when it speaks.
// Of an owner it loses the relay is told, also by the command line and by other
// relays; of one it gets only by the process in which that happens.
const lookAgain = 2 * time.Second

// robot is one socket of a device.
type robot struct {
	client
	owner  atomic.Pointer[store.UserID] // see [robot.learnOwner]
	looked time.Time                    // when nobody's robot was looked up; the reader's
}

// ServeRobot serves the socket of an authenticated device until it ends. A
// newer socket of the same device takes its place at once and keeps its
// sessions; nobody waits for the old one.
func (h *Hub) ServeRobot(ctx context.Context, conn *ws.Conn, id wire.DeviceID) {
	me := bus.Sender{Party: wire.Robot, Device: id}
	r := &robot{client: h.newClient(conn, me)}
	r.owner.Store(new(store.UserID))
	h.robots.Add(1)
	defer h.robots.Add(-1)
	h.cfg.Meter.Opened(wire.Robot)

	address := bus.RobotAddress(id)
	wasThere, _ := h.cfg.Bus.Owned(ctx, address)
	release := h.cfg.Bus.Claim(address, r.deliver, func() {
		conn.Close(wire.CloseReplaced, "replaced by a newer connection of this device")
	})
	r.announce(ctx, bus.Back, address)
	r.learnOwner(ctx, !wasThere)
	h.cfg.Log.InfoContext(ctx, "robot connected", "device", id, "replaced", wasThere)

	cause := conn.Serve(ctx, func(frame []byte) { r.receive(ctx, frame) })
	h.cfg.Meter.Closed(wire.Robot, cause)

	late, cancel := afterwards(ctx)
	defer cancel()
	last := release()
	h.cfg.Log.InfoContext(late, "robot left", "device", id, "cause", cause, "replaced", !last)
	if last {
		r.departed.add(id)
		if !closedHere(cause, wire.CloseGoingAway) { // of that the apps are told themselves
			r.depart(late, address)
		}
	}
}

// depart tells everybody that the robot is gone. A newer socket may have said
// that it is there before that; what is said last must be true.
func (r *robot) depart(ctx context.Context, address string) {
	r.announce(ctx, bus.Lost, address)
	r.publishStatus(ctx, r.ownedBy(), false)
	if r.isThere(ctx) {
		r.announce(ctx, bus.Back, address)
		r.publishStatus(ctx, r.ownedBy(), true)
	}
}

func (r *robot) isThere(ctx context.Context) bool {
	there, err := r.cfg.Bus.Owned(ctx, bus.RobotAddress(r.me.Device))
	return there && err == nil
}

// ownedBy returns whose apps hear of the robot, empty if nobody's.
func (r *robot) ownedBy() store.UserID { return *r.owner.Load() }

// learnOwner looks up whose the robot is. If it is another's than before, the one
// before is told that it is gone, and the new one, if tell is set, that it is there.
// A device that is not registered any more is logged out.
func (r *robot) learnOwner(ctx context.Context, tell bool) {
	for {
		owner, err := r.lookUp(ctx)
		switch {
		case errors.Is(err, store.ErrNotFound):
			r.conn.Close(wire.CloseAuthEnded, "the device is not registered")
		case err != nil: // until it is known again the robot is nobody's
			r.cfg.Log.ErrorContext(ctx, "look up a robot's owner", "error", err)
		}
		before := *r.owner.Swap(&owner)
		if before == owner {
			return
		}
		r.publishStatus(ctx, before, false)
		if tell {
			r.publishStatus(ctx, owner, true)
			if !r.isThere(ctx) { // it has left meanwhile, and what is said last must be true
				r.publishStatus(ctx, owner, false)
			}
		}
		if err != nil {
			return
		}
		// Once more: what another goroutine has learned since must not be undone.
	}
}

func (r *robot) lookUp(ctx context.Context) (store.UserID, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	device, err := r.cfg.Devices.Device(ctx, r.me.Device)
	return device.Owner, err
}

// publishStatus tells a user's apps.
func (r *robot) publishStatus(ctx context.Context, to store.UserID, online bool) {
	if to == "" {
		return
	}
	r.cfg.Bus.Publish(ctx, bus.UserTopic(to), bus.Envelope{
		From: bus.Sender{Party: wire.Relay}, Message: robotStatus(r.me.Device, online),
	})
}

// deliver takes in what is sent to the robot's address.
func (r *robot) deliver(ctx context.Context, e bus.Envelope) error {
	switch {
	case e.Kind == bus.OwnerChanged:
		r.learnOwner(ctx, true)
		return nil
	case e.Message.Type == wire.TypeCommand:
		return r.drive(e)
	default:
		return r.client.deliver(ctx, e)
	}
}

func (r *robot) receive(ctx context.Context, frame []byte) {
	if r.ownedBy() == "" && time.Since(r.looked) >= lookAgain {
		r.learnOwner(ctx, true)
		r.looked = time.Now()
	}
	m, ok := r.decode(frame)
	switch {
	case !ok:
	case m.IsEvent():
		r.event(ctx, m)
	case m.Type == wire.TypeHello, m.Type == wire.TypeHeartbeat:
		r.report(ctx, m)
	default:
		r.say(ctx, m)
	}
}

// report takes what a robot says of its sessions to all that the relay has of it,
// those included that outlived an earlier relay.
func (r *robot) report(ctx context.Context, m wire.Message) {
	for _, s := range m.Sessions {
		r.cfg.Sessions.Adopt(ctx, r.me, s.SessionID, s.Ticket)
	}
	r.cfg.Bus.Publish(ctx, bus.PresenceTopic(bus.RobotAddress(r.me.Device)), bus.Envelope{From: r.me, Message: m})
}
