package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// allows takes a token for a message from the buckets that pay for it: the socket's
// and its user's. Commands and events have their own, so that no driver and no
// chatty robot can use up what signaling needs.
func (c *client) allows(m *wire.Message) bool {
	bucket, kind := c.limit, "signaling "
	if m.Type == wire.TypeCommand || m.IsEvent() {
		bucket, kind = c.traffic, "traffic "
	}
	return bucket.Allow() && (c.me.Party == wire.Robot || c.messages.Allow(kind+string(c.me.User)))
}

// refusal is the error that answers a message: it says what it is about.
func refusal(to *wire.Message, code wire.Code, text string, retryAfter int) wire.Message {
	return wire.Message{
		Type: wire.TypeError, Code: code, Text: text, RetryAfter: retryAfter,
		DeviceID: to.DeviceID, Command: to.Command,
	}
}

// command takes a command to the robot it is for, now or never. Every command
// that is not taken there is answered with one error; see also [robot.lost].
func (a *app) command(ctx context.Context, m *wire.Message) {
	if text := untimely(m); text != "" {
		a.answer(refusal(m, wire.CodeStaleCommand, text, 0))
		return
	}
	owned, err := a.robots.get(a.Hub, func() ([]wire.DeviceID, error) { return a.owned(ctx) })
	if err != nil {
		a.answer(refusal(m, wire.CodeInternal, "Internal error, please try again", 0))
		return
	}
	device, refused := session.Choose(owned, m.DeviceID)
	if refused != nil {
		a.answer(refusal(m, refused.Code, refused.Text, 0))
		return
	}
	m.DeviceID = device
	routed := *m
	routed.DeviceID = "" // a robot need not know its name here
	err = a.cfg.Bus.Send(ctx, bus.RobotAddress(device), bus.Envelope{From: a.me, Message: routed})
	switch {
	case errors.Is(err, bus.ErrBusy):
		a.answer(refusal(m, wire.CodeRateLimited, "The robot does not keep up", 1))
	case err != nil:
		a.answer(refusal(m, wire.CodeDeviceOffline, "Device offline", 0))
	}
}

// untimely says why a command is not fresh. One without a time is: its app has
// no opinion. An app whose clock is behind by more than commands may be old can
// send none with a time; a clock that is ahead hides how old a command is, so
// that only a small lead is forgiven.
func untimely(m *wire.Message) string {
	switch age := m.Age(time.Now()); {
	case age > wire.MaxCommandAge:
		return fmt.Sprintf("The command is %.1f s old, or this device's clock is behind", age.Seconds())
	case age < -wire.MaxClockLead:
		return fmt.Sprintf("This device's clock is %.1f s ahead", -age.Seconds())
	default:
		return ""
	}
}

// drive takes a command in, which must not arrive late: it leaves in time or not
// at all, and a robot that does not keep up loses nothing but it.
func (r *robot) drive(e bus.Envelope) error {
	now := time.Now()
	until := now.Add(wire.MaxCommandAge - max(0, e.Message.Age(now)))
	app, command := e.From.Peer, e.Message.Command
	if !r.conn.Offer(&ws.Perishable{
		Frame: wire.Encode(e.Message), Until: until, Lost: func() { r.lost(app, command, until) },
	}) {
		r.cfg.Meter.Dropped(DropUndeliverable)
		return bus.ErrBusy
	}
	r.cfg.Meter.Told(wire.Robot, wire.TypeCommand)
	return nil
}

// lost tells an app that its command has not left. If the app has gone, too,
// there is nobody to tell.
func (r *robot) lost(app bus.PeerID, command string, until time.Time) {
	r.cfg.Meter.Dropped(DropUndeliverable)
	about := wire.Message{DeviceID: r.me.Device, Command: command}
	answer := refusal(&about, wire.CodeDeviceOffline, "Device offline", 0)
	if time.Now().After(until) {
		answer = refusal(&about, wire.CodeStaleCommand, "The command could not be sent in time", 0)
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	_ = r.cfg.Bus.Send(ctx, bus.AppAddress(app), bus.Envelope{From: r.me, Message: answer})
}
