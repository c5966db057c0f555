package httpapi_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// atOnce is what the replacement of a connection may take.
const atOnce = 100 * time.Millisecond

// deaf opens a robot's socket that will hardly take anything it does not read.
func (w *world) deaf(id wire.DeviceID) *peer {
	w.Helper()
	dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(4 << 10)
		}
		return conn, err
	}}
	url := "ws" + strings.TrimPrefix(w.server.URL, "http") + "/ws/device"
	socket, response, err := dialer.DialContext(w.Context(), url, signedNow(id))
	if err != nil {
		w.Fatal(err)
	}
	_ = response.Body.Close()
	w.Cleanup(func() { _ = socket.Close() })
	return &peer{w, socket}
}

// TestDeadRobotReplaced: the old socket's peer reads nothing, its window is full
// and the relay hangs in a write to it. The new socket is served at once, gets what
// the session has for the robot, and the apps see no robot leave. The best of some
// is what counts: the machine may be busy, but a wait would be one for all.
func TestDeadRobotReplaced(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	best := time.Hour
	for n := range 3 {
		id := wire.DeviceID(fmt.Sprintf("robot-%d", n))
		w.device(id, user)
		old := w.deaf(id)
		old.quiet() // it is there, and has been announced
		app := w.app(token)
		for robot := range n + 1 {
			app.isTold(wire.DeviceID(fmt.Sprintf("robot-%d", robot)), true)
		}
		took := replace(app, id, fill(app, old, id))
		best = min(best, took)
		if open := w.hub.Robots(); open != n+2 {
			t.Errorf("%d sockets are open, want one for each robot and this one's old: it was not dead", open)
		}
		_ = old.socket.Close()
		w.eventually("the old socket is gone", func() bool { return w.hub.Robots() == n+1 })
	}
	if best > atOnce {
		t.Errorf("a dead socket is replaced in %s at best, want %s", best, atOnce)
	}
}

// fill opens a session and sends the robot, who does not read, more than its
// socket takes (some 3 MB), but not so many messages that the relay gives it up.
func fill(app, old *peer, id wire.DeviceID) wire.SessionID {
	app.Helper()
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: id})
	session := app.hears("webrtc_credentials").SessionID
	old.hears("webrtc_request")
	old.send(sdp(wire.TypeOffer, session))
	app.hears("webrtc_offer")
	large := sdp(wire.TypeAnswer, session)
	large.SDP.SDP = strings.Repeat("x", 60<<10)
	for range 90 {
		app.send(large)
	}
	app.quiet() // the relay has read them all,
	old.send(candidate(session))
	app.hears("webrtc_ice") // and the session has passed them on
	return session
}

// replace connects the robot anew and returns how long it took to be there for the
// session.
func replace(app *peer, id wire.DeviceID, session wire.SessionID) time.Duration {
	app.Helper()
	began := time.Now()
	newer := app.robot(id)
	app.send(candidate(session))
	newer.hears("webrtc_ice")
	took := time.Since(began)
	app.quiet() // no offline event
	return took
}
