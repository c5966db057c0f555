package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// peer is the other end of a socket: an app or a robot.
type peer struct {
	*world
	socket *websocket.Conn
}

// dial opens a socket, or returns the status it was refused with.
func (w *world) dial(path string, header http.Header) (*peer, int) {
	w.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	socket, response, err := dialer.DialContext(w.Context(), "ws"+strings.TrimPrefix(w.server.URL, "http")+path, header)
	if response == nil {
		w.Fatal(err)
	}
	_ = response.Body.Close()
	if err != nil {
		return nil, response.StatusCode
	}
	w.Cleanup(func() { _ = socket.Close() })
	return &peer{w, socket}, response.StatusCode
}

// greeted opens a user's socket that has heard who is there.
func (w *world) greeted(token string) *peer {
	w.Helper()
	p := w.app(token)
	p.drained()
	return p
}

// app opens a user's socket. It is told of its robots first.
func (w *world) app(token string) *peer {
	w.Helper()
	p, status := w.dial("/ws/app?token="+token, nil)
	if p == nil {
		w.Fatalf("refused with %d", status)
	}
	return p
}

// robot opens a robot's socket, signed now, and waits until the relay knows
// that it is there.
func (w *world) robot(id wire.DeviceID) *peer {
	w.Helper()
	p, status := w.dial("/ws/device", signedNow(id))
	if p == nil {
		w.Fatalf("refused with %d", status)
	}
	p.quiet()
	return p
}

func signedNow(id wire.DeviceID) http.Header {
	return signedAt(id, deviceSecret, time.Now())
}

// signedAt are a device's headers.
func signedAt(id wire.DeviceID, secret string, at time.Time) http.Header {
	return http.Header{
		"X-Device-Id": {string(id)}, "X-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"X-Signature": {wire.Sign(secret, id, at)},
	}
}

func (p *peer) raw(frame string) {
	p.Helper()
	if err := p.socket.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		p.Fatal(err)
	}
}

func (p *peer) send(m wire.Message) {
	p.Helper()
	p.raw(string(wire.Encode(m)))
}

// next returns the next message as it came.
func (p *peer) next() wire.Message {
	p.Helper()
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := p.socket.ReadMessage()
	if err != nil {
		p.Fatal(err)
	}
	var m wire.Message
	if err := json.Unmarshal(frame, &m); err != nil {
		p.Fatalf("%s: %v", frame, err)
	}
	return m
}

// hears checks the next message, in the words of [wire.Message.String].
func (p *peer) hears(want string) wire.Message {
	p.Helper()
	m := p.next()
	shown := m
	shown.SessionID = "" // different each time
	if shown.String() != want {
		p.Fatalf("told %q, want %q", shown, want)
	}
	return m
}

// isTold checks the next message, which must be about a robot.
func (p *peer) isTold(id wire.DeviceID, online bool) {
	p.Helper()
	if m := p.hears("robot_status " + string(id)); m.Online == nil || *m.Online != online {
		p.Fatalf("told %s, want online=%t", wire.Encode(m), online)
	}
}

// quiet checks that nothing was said to the peer before it asked for an echo.
func (p *peer) quiet() {
	p.Helper()
	p.send(wire.Message{Type: wire.TypePing})
	p.hears("pong")
}

// drained returns what has been said to the peer until it asked for an echo.
func (p *peer) drained() (heard []string) {
	p.Helper()
	p.send(wire.Message{Type: wire.TypePing})
	for {
		m := p.next()
		if m.Type == wire.TypePong {
			return heard
		}
		m.SessionID = ""
		heard = append(heard, m.String())
	}
}

// closedWith reads on to the close frame and returns what came before.
func (p *peer) closedWith(code wire.CloseCode) (before []string) {
	p.Helper()
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	for {
		_, frame, err := p.socket.ReadMessage()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
			if closed.Code != int(code) {
				p.Errorf("closed with %d %s, want %d", closed.Code, closed.Text, code)
			}
			return before
		}
		if err != nil {
			p.Fatalf("closed without a close frame: %v", err)
		}
		before = append(before, string(frame))
	}
}
