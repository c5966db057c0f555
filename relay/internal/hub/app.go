package hub

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// lookupTime bounds a question to the store.
const lookupTime = 5 * time.Second

// app is one socket of a user's app.
type app struct {
	client
	token  atomic.Pointer[store.TokenID] // that of me, for other goroutines
	expiry *time.Timer                   // ends the login with its token
	robots remembered
}

// ServeApp serves the socket of an authenticated app until it ends, at the
// latest with its token.
func (h *Hub) ServeApp(ctx context.Context, conn *ws.Conn, who auth.Claims) {
	me := bus.Sender{Party: wire.App, Peer: bus.PeerID(uuid.NewString()), User: who.UserID, Token: who.TokenID}
	a := &app{client: h.newClient(conn, me)}
	a.token.Store(&who.TokenID)
	expired := make(chan struct{})
	a.expiry = time.AfterFunc(time.Until(who.ExpiresAt), func() {
		defer close(expired)
		a.logOut(ctx, "the token has expired")
	})
	defer func() {
		if !a.expiry.Stop() {
			<-expired
		}
	}()
	h.apps.Add(1)
	defer h.apps.Add(-1)
	h.cfg.Meter.Opened(wire.App)
	if surplus := h.sockets.add(a); surplus != nil {
		surplus.conn.Close(wire.CloseSuperseded, "too many apps of this user")
	}
	defer h.sockets.remove(a)

	address := bus.AppAddress(me.Peer)
	release := h.cfg.Bus.Claim(address, a.deliver, nil)
	leave := h.cfg.Bus.Join(bus.UserTopic(me.User), a.deliver)
	h.cfg.Log.InfoContext(ctx, "app connected", "user", me.User)
	a.confirm(ctx, who)
	robots, _ := a.owned(ctx)
	soon := min(len(robots), greetAtOnce)
	a.greet(ctx, robots[:soon], a.tell)
	var rest sync.WaitGroup
	rest.Go(func() { a.greet(ctx, robots[soon:], a.answer) })
	cause := conn.Serve(ctx, func(frame []byte) {
		rest.Wait() // what an app hears first is who is there
		a.receive(ctx, frame)
	})
	rest.Wait()
	leave()
	release()
	h.cfg.Meter.Closed(wire.App, cause)
	h.cfg.Log.InfoContext(ctx, "app left", "user", me.User, "cause", cause)

	if closedHere(cause, wire.CloseAuthEnded) {
		a.endSessions(ctx) // those that began since it was logged out
	}
	late, cancel := afterwards(ctx)
	defer cancel()
	a.announce(late, bus.Lost, address)
}

// logOut ends what rests on the socket's login. The sessions come first: the app
// hears of that before its socket is closed.
func (a *app) logOut(ctx context.Context, why string) {
	a.endSessions(ctx)
	a.conn.Close(wire.CloseAuthEnded, why)
}

func (a *app) endSessions(ctx context.Context) {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	a.cfg.Sessions.End(ctx, func(app bus.Sender, _ wire.DeviceID) bool { return app.Peer == a.me.Peer })
}

// confirm asks once more whether the socket's token counts, now that the socket
// would hear of its end: it may have come before.
func (a *app) confirm(ctx context.Context, who auth.Claims) {
	switch err := a.cfg.Guard.Check(ctx, who); {
	case errors.Is(err, auth.ErrUnauthenticated):
		a.logOut(ctx, "the login has ended")
	case err != nil: // nobody knows: the app comes back and is asked for its token
		a.cfg.Log.ErrorContext(ctx, "look up how an account stands", "error", err)
		a.conn.Drop(err)
	}
}

// deliver takes in what is sent to the socket's address and to its user.
func (a *app) deliver(ctx context.Context, e bus.Envelope) error {
	if e.Kind != bus.LoginEnded {
		return a.client.deliver(ctx, e)
	}
	if e.From.Token == "" || e.From.Token == *a.token.Load() {
		a.conn.Close(wire.CloseAuthEnded, "the login has ended")
	}
	return nil
}

// greetAtOnce is how many robots an app is told of before its socket is served: far
// more than most users have, and fewer than the socket's queue has room for. The
// others wait for each other, and leave the room to other news.
const greetAtOnce = 100

// greet says which of some robots are there.
func (a *app) greet(ctx context.Context, robots []wire.DeviceID, tell func(wire.Message) bool) {
	for _, id := range robots {
		online := a.online(ctx, id)
		if !tell(robotStatus(id, online)) {
			return
		}
		// It may have come or gone, and told so, while the message waited: what is
		// said last must be true.
		if now := a.online(ctx, id); now != online {
			tell(robotStatus(id, now))
		}
	}
}

func (a *app) owned(ctx context.Context) ([]wire.DeviceID, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	devices, err := a.cfg.Owners.DevicesOf(ctx, a.me.User)
	if err != nil {
		a.cfg.Log.ErrorContext(ctx, "look up the user's robots", "error", err)
	}
	return devices, err
}

func (a *app) online(ctx context.Context, id wire.DeviceID) bool {
	online, err := a.cfg.Bus.Owned(ctx, bus.RobotAddress(id))
	return online && err == nil
}

func (a *app) receive(ctx context.Context, frame []byte) {
	m, ok := a.decode(frame)
	if !ok {
		return
	}
	switch m.Type {
	case wire.TypeRequest:
		a.request(ctx, m.DeviceID)
	case wire.TypeCommand:
		a.command(ctx, &m)
	case wire.TypeGetStatus:
		a.status(ctx, m.DeviceID)
	case wire.TypeAuth:
		a.renew(ctx, m.Token)
	case wire.TypeResume:
		a.cfg.Sessions.Adopt(ctx, a.me, m.SessionID, m.Ticket)
		a.say(ctx, m)
	default:
		a.say(ctx, m)
	}
}

func (a *app) request(ctx context.Context, device wire.DeviceID) {
	if !a.requests.Allow(string(a.me.User)) {
		a.answer(wire.Message{
			Type: wire.TypeError, DeviceID: device, Code: wire.CodeRateLimited,
			Text: "Too many requests", RetryAfter: a.requests.RetryAfter(),
		})
		return
	}
	a.cfg.Sessions.Request(ctx, a.me, device)
}

// status answers get_status. A robot of somebody else is not paired and not
// online.
func (a *app) status(ctx context.Context, asked wire.DeviceID) {
	devices, err := a.owned(ctx)
	if err != nil {
		a.refuse(wire.CodeInternal, "Internal error, please try again")
		return
	}
	if asked == "" {
		if len(devices) != 1 {
			a.refuse(wire.CodeNoDevice, "Say which robot: device_id is missing")
			return
		}
		asked = devices[0]
	}
	var paired, online bool
	for _, id := range devices {
		if id == asked {
			paired, online = true, a.online(ctx, id)
		}
	}
	a.answer(wire.Message{Type: wire.TypeStatus, DeviceID: asked, Paired: &paired, RobotUp: &online})
}

// renew lets the socket live by a fresh token of the same user.
func (a *app) renew(ctx context.Context, token string) {
	who, err := a.cfg.Guard.Admit(ctx, token)
	switch {
	case err == nil && who.UserID == a.me.User:
		if !a.expiry.Stop() {
			return // too late: it is being logged out
		}
		a.me.Token = who.TokenID
		a.token.Store(&who.TokenID)
		a.expiry.Reset(time.Until(who.ExpiresAt))
		a.cfg.Sessions.Renewed(a.me)
		a.confirm(ctx, who)
	case err == nil || errors.Is(err, auth.ErrUnauthenticated):
		a.refuse(wire.CodeNotAuthorized, "Not authorized")
	default:
		a.cfg.Log.ErrorContext(ctx, "look up how an account stands", "error", err)
		a.refuse(wire.CodeInternal, "Internal error, please try again")
	}
}
