package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// Clients come back after a restart over a time that grows with their number, so
// that the next relay is not overrun: each costs it a handshake, a signature and a
// write to the store. None is away for longer than mostSpread, though, and few
// clients still give the next relay time to start.
const (
	returnEvery = 15 * time.Millisecond
	leastSpread = 2 * time.Second
	mostSpread  = 20 * time.Second
)

// spread is the time over which so many clients come back.
func spread(sockets int) time.Duration {
	return min(max(time.Duration(sockets)*returnEvery, leastSpread), mostSpread)
}

// refusable is how many times as many messages as it may send a socket is heard:
// those beyond are answered, RATE_LIMITED. Who sends even more has to wait.
const refusable = 2

func (a *API) newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: a.cfg.Limits.HeaderTime,
		// Most sockets are idle most of the time: small buffers, and write
		// buffers only while something is written.
		ReadBufferSize:  1024,
		WriteBufferSize: 4096,
		WriteBufferPool: &sync.Pool{},
		CheckOrigin:     a.originAllowed,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			text := reason.Error()
			if status == http.StatusForbidden { // the library's text names its own field
				text = "Pages from this Origin may not connect"
			}
			fail(w, status, text)
		},
	}
}

// originAllowed refuses pages that are not ours. Programs have no Origin.
func (a *API) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || slices.Contains(a.cfg.AllowedOrigins, origin)
}

func (a *API) appSocket(w http.ResponseWriter, r *http.Request) {
	token := bearer(r)
	if token == "" {
		token = r.URL.Query().Get("token")
	}
	who, err := a.cfg.Guard.Admit(r.Context(), token)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.serveSocket(w, r, func(ctx context.Context, conn *ws.Conn) {
		a.cfg.Hub.ServeApp(ctx, conn, who)
	})
}

func (a *API) deviceSocket(w http.ResponseWriter, r *http.Request) {
	id, err := a.cfg.Devices.Authenticate(r.Context(), auth.CredentialsFrom(r))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.serveSocket(w, r, func(ctx context.Context, conn *ws.Conn) {
		a.cfg.Hub.ServeRobot(ctx, conn, id)
	})
}

// serveSocket upgrades, and serves until the socket ends in a goroutine of its own:
// that of the request ends, and what the server keeps for it is free.
func (a *API) serveSocket(w http.ResponseWriter, r *http.Request, serve func(context.Context, *ws.Conn)) {
	a.sockets.Add(1) // the server stops waiting for what it has upgraded
	socket, err := a.upgrader.Upgrade(w, r, nil)
	if err != nil {
		a.sockets.Done()
		return // the upgrader has answered
	}
	ctx, route := context.WithoutCancel(r.Context()), r.Pattern
	go func() {
		defer a.sockets.Done()
		a.serveUpgraded(ctx, socket, route, serve)
	}()
}

// serveUpgraded serves a socket. When the relay stops, the other side is told when
// to come back. A panic ends this socket and no other.
func (a *API) serveUpgraded(ctx context.Context, socket *websocket.Conn, route string, serve func(context.Context, *ws.Conn)) {
	conn := ws.New(socket, ws.Limits{Frame: a.cfg.Limits.FrameBytes, Pace: a.cfg.Limits.SocketMessages.Plus(a.cfg.Limits.SocketTraffic).Times(refusable)})
	stop := context.AfterFunc(a.cfg.Closing, func() {
		pause := rand.N(a.spread()) //nolint:gosec // jitter needs no secrecy
		conn.Send(wire.Encode(wire.Message{Type: wire.TypeGoingAway, RetryMS: 1 + int(pause.Milliseconds())}))
		conn.Close(wire.CloseGoingAway, "the relay is going away")
	})
	defer stop()
	defer func() {
		if fault := recover(); fault != nil {
			a.panicked(ctx, route, fault)
			conn.Drop(errPanic)
		}
	}()
	serve(ctx, conn)
}

// errPanic ends a socket that could not be served on.
var errPanic = errors.New("its handler panicked")
