package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// queueLen is how many frames may wait for the socket. An offer, an answer and
// all candidates of two sessions are fewer than 64.
const queueLen = 256

// link is one connection. The writer owns the socket's write side, serve's
// caller its read side.
type link struct {
	conn  *websocket.Conn
	peer  wire.Party // who we are, for the rules of what may come in
	out   chan []byte
	ended context.Context //nolint:containedctx // the life of the connection, with its cause
	end   context.CancelCauseFunc

	retryAfter time.Duration // owned by the reader: from going_away
}

// closedError is the end of a connection that the relay explained.
type closedError struct {
	code       wire.CloseCode
	text       string
	retryAfter time.Duration
}

func (e *closedError) Error() string {
	return fmt.Sprintf("the relay closed the connection: %d %s", e.code, e.text)
}

func (e *closedError) Unwrap() error {
	switch e.code {
	case wire.CloseAuthEnded:
		return ErrUnauthorized
	case wire.CloseSuperseded:
		return ErrSuperseded
	default:
		return nil
	}
}

func newLink(conn *websocket.Conn, as wire.Party) *link {
	ended, end := context.WithCancelCause(context.Background())
	return &link{conn: conn, peer: as, out: make(chan []byte, queueLen), ended: ended, end: end}
}

func (l *link) send(m wire.Message) error {
	select {
	case <-l.ended.Done():
		return fmt.Errorf("send %s: %w", m.Type, ErrOffline)
	case l.out <- wire.Encode(m):
		return nil
	default:
		l.end(errors.New("the relay does not read: outgoing queue is full"))
		return fmt.Errorf("send %s: %w", m.Type, ErrOffline)
	}
}

// serve reads until the connection ends, by either side or by ctx, and returns
// why. Its writer has ended too by then.
func (l *link) serve(ctx context.Context, onUp func(), onMessage func(wire.Message)) error {
	stop := context.AfterFunc(ctx, func() { l.end(context.Cause(ctx)) })
	defer stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		l.write()
	}()
	if onUp != nil {
		onUp()
	}
	l.end(l.read(onMessage))
	<-written
	return context.Cause(l.ended) //nolint:contextcheck // the connection's own life
}

func (l *link) read(onMessage func(wire.Message)) error {
	l.conn.SetReadLimit(wire.MaxFrame)
	alive := func() error { return l.conn.SetReadDeadline(time.Now().Add(wire.ReadTimeout)) }
	answerPing := l.conn.PingHandler()
	l.conn.SetPingHandler(func(data string) error {
		return errors.Join(alive(), answerPing(data))
	})
	for {
		if err := alive(); err != nil {
			return err
		}
		kind, frame, err := l.conn.ReadMessage()
		if err != nil {
			return l.explain(err)
		}
		if kind == websocket.TextMessage {
			l.receive(frame, onMessage)
		}
	}
}

// receive handles one frame. One that the contract does not know is ignored:
// the relay may be newer than we are.
func (l *link) receive(frame []byte, onMessage func(wire.Message)) {
	m, err := wire.Decode(frame, wire.Relay)
	switch {
	case err != nil:
	case m.Type == wire.TypePing:
		_ = l.send(wire.Message{Type: wire.TypePong})
	case m.Type == wire.TypePong:
	case m.Type == wire.TypeGoingAway:
		l.retryAfter = time.Duration(m.RetryMS) * time.Millisecond
	default:
		onMessage(m)
	}
}

// write sends what is queued, and a ping when there was nothing to send for a
// while. It ends the connection when it ends.
func (l *link) write() {
	defer l.conn.Close() //nolint:errcheck // nothing is left to be said
	idle := time.NewTicker(wire.PingInterval)
	defer idle.Stop()
	for {
		var frame []byte
		select {
		case frame = <-l.out:
		case <-idle.C:
			frame = wire.Encode(wire.Message{Type: wire.TypePing})
		case <-l.ended.Done():
			l.goodbye()
			return
		}
		if err := l.writeFrame(frame); err != nil {
			l.end(err)
			return
		}
	}
}

func (l *link) writeFrame(frame []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(wire.WriteTimeout)); err != nil {
		return err
	}
	return l.conn.WriteMessage(websocket.TextMessage, frame)
}

// goodbye flushes what is queued (a last webrtc_close, say) and sends a close
// frame.
func (l *link) goodbye() {
	for len(l.out) > 0 {
		if l.writeFrame(<-l.out) != nil {
			return
		}
	}
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = l.conn.WriteControl(websocket.CloseMessage, closing, time.Now().Add(wire.WriteTimeout))
}

func (l *link) explain(err error) error {
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
		return &closedError{code: wire.CloseCode(closed.Code), text: closed.Text, retryAfter: l.retryAfter}
	}
	return fmt.Errorf("read from the relay: %w", err)
}
