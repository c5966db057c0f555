// Package hub serves the sockets of apps and robots: it reads what they say and
// takes it to the sessions, and tells everybody who is there.
package hub

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/internal/session"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// Guard says whether an app's token counts; see [auth.Guard].
type Guard interface {
	Admit(ctx context.Context, token string) (auth.Claims, error)
	Check(ctx context.Context, who auth.Claims) error
}

// Devices knows the robots.
type Devices interface {
	Device(ctx context.Context, id wire.DeviceID) (store.Device, error)
	Seen(ctx context.Context, last map[wire.DeviceID]time.Time) error
	LastSeen(ctx context.Context, owner store.UserID) (map[wire.DeviceID]time.Time, error)
}

// Config is what the hub works with.
type Config struct {
	Bus      bus.Bus
	Sessions *session.Service
	Owners   session.Owners
	Devices  Devices
	Guard    Guard
	Limits   config.Quotas
	Meter    Meter // may be nil
	Log      *slog.Logger
}

// Hub serves sockets. Its methods may be called from any goroutine.
type Hub struct {
	cfg      Config
	pairings atomic.Uint64 // how often a robot has got another owner
	requests *limit.Keyed  // per user
	messages *limit.Keyed  // likewise, of all its apps
	sockets  sockets
	apps     atomic.Int64
	robots   atomic.Int64
	departed departures
}

// New returns a hub without sockets.
func New(cfg Config) *Hub {
	if cfg.Meter == nil {
		cfg.Meter = unmeasured{}
	}
	return &Hub{
		cfg: cfg, requests: limit.NewKeyed(cfg.Limits.UserRequests), messages: limit.NewKeyed(cfg.Limits.UserMessages),
		sockets: sockets{most: cfg.Limits.UserSockets, byUser: map[store.UserID][]*app{}},
	}
}

// Apps returns the number of sockets of apps.
func (h *Hub) Apps() int { return int(h.apps.Load()) }

// Robots returns the number of sockets of robots.
func (h *Hub) Robots() int { return int(h.robots.Load()) }

// EndLogin closes the sockets of a user that live by this token, or all of them if
// it is empty: the login has ended.
func (h *Hub) EndLogin(ctx context.Context, user store.UserID, token store.TokenID) {
	h.cfg.Bus.Publish(ctx, bus.UserTopic(user), bus.Envelope{
		Kind: bus.LoginEnded, From: bus.Sender{Party: wire.Relay, User: user, Token: token},
	})
}

// OwnerChanged lets a robot that is connected look up whose it is: it comes online
// for its new owner, and goes offline for the one before. It returns when they have
// been told. From then on no app's socket believes what it knew before.
func (h *Hub) OwnerChanged(ctx context.Context, id wire.DeviceID) {
	h.pairings.Add(1)
	// ErrNobody: a robot that connects later looks it up then.
	_ = h.cfg.Bus.Send(ctx, bus.RobotAddress(id), bus.Envelope{
		Kind: bus.OwnerChanged, From: bus.Sender{Party: wire.Relay, Device: id},
	})
}

// client is what the sockets of apps and robots have in common.
type client struct {
	*Hub
	conn    *ws.Conn
	me      bus.Sender
	limit   *rate.Limiter
	traffic *rate.Limiter
	heard   time.Time // when the last frame came; owned by the reader
}

func (h *Hub) newClient(conn *ws.Conn, me bus.Sender) client {
	return client{Hub: h, conn: conn, me: me, limit: h.cfg.Limits.SocketMessages.Limiter(), traffic: h.cfg.Limits.SocketTraffic.Limiter()}
}

// tell sends a message down the socket and reports whether it was queued.
func (c *client) tell(m wire.Message) bool {
	return c.counted(m, c.conn.Send(wire.Encode(m)))
}

// answer is tell for what the socket's reader says to what it has read: who asks
// faster than the answers leave has to wait.
func (c *client) answer(m wire.Message) bool {
	return c.counted(m, c.conn.SendWait(wire.Encode(m)))
}

// counted tells the meter what became of a message.
func (c *client) counted(m wire.Message, queued bool) bool {
	if !queued {
		c.cfg.Meter.Dropped(DropUndeliverable)
		return false
	}
	c.cfg.Meter.Told(c.me.Party, m.Kind())
	if m.Type == wire.TypeError {
		c.cfg.Meter.Refused(m.Code)
	}
	return true
}

// deliver is the socket's address: what is sent there goes down the socket.
func (c *client) deliver(_ context.Context, e bus.Envelope) error {
	if !c.tell(e.Message) {
		return bus.ErrNobody
	}
	return nil
}

// decode reads one frame. It answers heartbeats and faults itself and then
// reports false.
func (c *client) decode(frame []byte) (m wire.Message, ok bool) {
	c.heard = time.Now()
	m, err := wire.Decode(frame, c.me.Party)
	if !c.allows(&m) {
		c.cfg.Meter.Dropped(DropRateLimited)
		c.answer(refusal(&m, wire.CodeRateLimited, "Too many messages", 1))
		return m, false
	}
	if bad, ok := errors.AsType[*wire.BadMessageError](err); ok && c.isTold(bad) {
		c.refuse(wire.CodeBadMessage, bad.Error())
	}
	if err != nil {
		c.cfg.Meter.Dropped(dropFor(err))
		return m, false
	}
	c.cfg.Meter.Heard(c.me.Party, m.Kind())
	if m.Type == wire.TypePing {
		c.answer(wire.Message{Type: wire.TypePong})
		return m, false
	}
	return m, m.Type != wire.TypePong
}

// isTold says who hears of a bad message: everybody but a robot whose heartbeat
// or hello has fields of its own, as robots in the field do.
func (c *client) isTold(bad *wire.BadMessageError) bool {
	return c.me.Party == wire.App || bad.Type == "" || strings.HasPrefix(string(bad.Type), "webrtc_")
}

func (c *client) refuse(code wire.Code, text string) {
	c.answer(wire.Message{Type: wire.TypeError, Code: code, Text: text})
}

// say takes a message to its session.
func (c *client) say(ctx context.Context, m wire.Message) {
	err := c.cfg.Bus.Send(ctx, bus.SessionAddress(m.SessionID), bus.Envelope{From: c.me, Message: m, ReadAt: c.heard})
	if err == nil {
		return
	}
	c.cfg.Meter.Dropped(DropNoSession)
	if answer, ok := session.Unknown(m); ok {
		c.answer(answer)
	}
}

// announce tells the sessions of an address that its owner is lost or back.
func (c *client) announce(ctx context.Context, kind bus.Kind, address string) {
	c.cfg.Bus.Publish(ctx, bus.PresenceTopic(address), bus.Envelope{Kind: kind, From: c.me})
}

// closedHere reports whether a socket has ended because this relay closed it so.
func closedHere(cause error, code wire.CloseCode) bool {
	closed, ok := errors.AsType[*ws.ClosedError](cause)
	return ok && closed.Code == code && !closed.ByPeer
}

// robotStatus is the event that tells an app whether a robot is there.
func robotStatus(id wire.DeviceID, online bool) wire.Message {
	return wire.Message{Type: wire.TypeRobotStatus, DeviceID: id, Online: &online}
}

// goodbyeTime bounds what is said of a socket after it has ended.
const goodbyeTime = 5 * time.Second

// afterwards returns a context for what is left to do when ctx has ended.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), goodbyeTime)
}
