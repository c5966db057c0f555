// Package ws keeps one WebSocket (RFC 6455): a reader, a writer, a bounded
// queue between them and the rest of the program, and a heartbeat. Relay and
// client use the same.
package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/wire"
)

// queueLen is how many frames may wait for a socket. The offer, the answer and
// all candidates of two sessions are fewer than 64; a peer that lets 256 pile
// up does not read.
const queueLen = 256

// lingerTime is how long a closed socket may still be read for the other
// side's close frame (RFC 6455 §7.1.1), and how long the last frames may take.
const lingerTime = time.Second

// ClosedError is why a connection ended: a close code of either side.
type ClosedError struct {
	Code   wire.CloseCode
	Text   string
	ByPeer bool
}

func (e *ClosedError) Error() string {
	side := "closed"
	if e.ByPeer {
		side = "closed by the other side"
	}
	return fmt.Sprintf("%s: %d %s", side, e.Code, e.Text)
}

// Limits hold the other side of a connection.
type Limits struct {
	// Frame is the largest message in bytes, at most [wire.MaxFrame].
	Frame int
	// Pace is how fast frames are read, those included that are answered here:
	// who sends more has to wait. The zero rate is as fast as they come.
	Pace limit.Rate
}

// Conn is one connection. Its methods may be called from any goroutine; only Serve,
// which is called once, and SendWait block.
type Conn struct {
	socket     *websocket.Conn
	frame      int           // bytes of the largest message
	pace       *rate.Limiter // owned by the reader
	queue      chan []byte
	perishable chan *Perishable
	taken      chan struct{}   // tells SendWait that the queue has got shorter
	ended      context.Context //nolint:containedctx // the life of the connection, with its cause
	end        context.CancelCauseFunc
}

// New takes ownership of an open socket. Serve must follow.
func New(socket *websocket.Conn, limits Limits) *Conn {
	ended, end := context.WithCancelCause(context.Background())
	return &Conn{
		socket: socket, frame: limits.Frame, pace: limits.Pace.Limiter(),
		queue: make(chan []byte, queueLen), perishable: make(chan *Perishable, perishableLen),
		taken: make(chan struct{}, 1),
		ended: ended, end: end,
	}
}

// Send queues one text frame, which the connection then owns. A peer that does
// not keep up is closed with 4008: a lost connection heals, a silently lost
// message does not. Send reports whether the frame was queued.
func (c *Conn) Send(frame []byte) bool {
	if c.ended.Err() != nil {
		return false
	}
	select {
	case c.queue <- frame:
		return true
	default:
		c.Close(wire.CloseTooSlow, "outgoing queue is full")
		return false
	}
}

// SendWait is Send for somebody who can wait, as for who asks and is answered: it
// leaves half of the queue to others. It reports false if the connection ends before.
func (c *Conn) SendWait(frame []byte) bool {
	for len(c.queue) >= queueLen/2 {
		select {
		case <-c.taken:
		case <-c.ended.Done():
			return false
		}
	}
	return c.Send(frame)
}

// Close ends the connection after what is queued has been written. The first
// cause given counts.
func (c *Conn) Close(code wire.CloseCode, text string) {
	c.end(&ClosedError{Code: code, Text: text})
}

// Drop ends the connection at once, without a word: nobody would hear it.
func (c *Conn) Drop(cause error) {
	c.end(cause)
	_ = c.socket.Close()
}

// Serve reads until the connection ends: by either side, by a fault, or by ctx
// (closed as normal, 1000). It hands each text frame to receive, one at a time;
// the bytes are valid during the call. It returns the cause when reader and
// writer have ended.
func (c *Conn) Serve(ctx context.Context, receive func(frame []byte)) error {
	stop := context.AfterFunc(ctx, func() { c.Close(websocket.CloseNormalClosure, "") })
	defer stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.end(c.read(receive))
	c.drain()
	<-written
	c.spoil()
	_ = c.socket.Close()
	return context.Cause(c.ended)
}

// read returns why reading ended, or nil when the connection was ended here.
func (c *Conn) read(receive func([]byte)) error {
	c.socket.SetPongHandler(func(string) error { return c.alive() })
	answer := c.socket.PingHandler()
	c.socket.SetPingHandler(func(data string) error { return errors.Join(c.alive(), answer(data)) })
	var frame bytes.Buffer
	for c.ended.Err() == nil {
		if err := c.alive(); err != nil {
			return err
		}
		kind, err := c.readFrame(&frame)
		if err != nil {
			return explain(err)
		}
		switch {
		case c.ended.Err() != nil:
		case kind == websocket.TextMessage:
			receive(frame.Bytes())
		default:
			c.refuse(wire.CodeBadMessage, "a message is a text frame")
		}
	}
	return nil
}

// readFrame reads one message into the buffer.
func (c *Conn) readFrame(into *bytes.Buffer) (kind int, err error) {
	var n int64
	kind, r, err := c.socket.NextReader()
	if err == nil {
		into.Reset()
		n, err = into.ReadFrom(io.LimitReader(r, int64(c.frame)+1))
	}
	// The library's limit is what the header of a frame can say.
	if err == nil && n > int64(c.frame) || errors.Is(err, websocket.ErrReadLimit) {
		text := fmt.Sprintf("Messages are at most %d bytes", c.frame)
		c.refuse(wire.CodeTooLarge, text)
		err = &ClosedError{Code: wire.CloseTooLarge, Text: text}
	}
	return kind, err
}

// refuse says what is wrong with a frame that nobody above gets to see.
func (c *Conn) refuse(code wire.Code, text string) {
	c.SendWait(wire.Encode(wire.Message{Type: wire.TypeError, Code: code, Text: text}))
}

// drain reads on until the other side has answered the close frame or
// lingerTime is over: a socket closed with unread data would lose our last
// frames on their way.
func (c *Conn) drain() {
	_ = c.socket.SetReadDeadline(time.Now().Add(lingerTime))
	for {
		_, r, err := c.socket.NextReader()
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return
		}
	}
}

// alive moves the read deadline, because something was heard, when the pace lets
// the next frame be read. Once the connection has ended, what is heard extends
// nothing.
func (c *Conn) alive() error {
	if c.pace.Wait(c.ended) != nil {
		return context.Cause(c.ended)
	}
	err := c.socket.SetReadDeadline(time.Now().Add(wire.ReadTimeout))
	if c.ended.Err() != nil { // ended meanwhile: finish may have set its deadline before us
		err = c.socket.SetReadDeadline(time.Now().Add(lingerTime))
	}
	return err
}

// write owns the socket's write side until the connection ends.
func (c *Conn) write() {
	heartbeat := time.NewTicker(wire.PingInterval)
	defer heartbeat.Stop()
	for c.ended.Err() == nil { // what is queued then has less time, see finish
		kind, frame := websocket.PingMessage, []byte(nil)
		select {
		case <-c.ended.Done():
			continue
		case frame = <-c.queue:
			kind = websocket.TextMessage
			select {
			case c.taken <- struct{}{}:
			default:
			}
		case p := <-c.perishable:
			if c.writePerishable(p) {
				continue
			}
			return
		case <-heartbeat.C:
		}
		if !c.writeOrEnd(kind, frame) {
			return
		}
	}
	c.finish()
}

// writeOrEnd reports whether the frame was written; else the connection is over.
func (c *Conn) writeOrEnd(kind int, frame []byte) bool {
	err := c.writeFrame(kind, frame, time.Now().Add(wire.WriteTimeout))
	if err != nil {
		c.end(fmt.Errorf("write: %w", err))
		_ = c.socket.SetReadDeadline(time.Now()) // wake the reader
	}
	return err == nil
}

// finish writes what is queued and a close frame, in lingerTime at most, and
// wakes the reader.
func (c *Conn) finish() {
	defer func() { _ = c.socket.SetReadDeadline(time.Now().Add(lingerTime)) }()
	deadline := time.Now().Add(lingerTime) // of all of it: a peer may read slowly
	for len(c.queue) > 0 {
		if c.writeFrame(websocket.TextMessage, <-c.queue, deadline) != nil {
			return
		}
	}
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if closed := (*ClosedError)(nil); errors.As(context.Cause(c.ended), &closed) && !closed.ByPeer {
		closing = websocket.FormatCloseMessage(int(closed.Code), closed.Text)
	}
	_ = c.writeFrame(websocket.CloseMessage, closing, deadline)
}

func (c *Conn) writeFrame(kind int, frame []byte, deadline time.Time) error {
	if err := c.socket.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return c.socket.WriteMessage(kind, frame)
}

// explain turns the library's errors into ours.
func explain(err error) error {
	if byPeer := (*websocket.CloseError)(nil); errors.As(err, &byPeer) {
		return &ClosedError{Code: wire.CloseCode(byPeer.Code), Text: byPeer.Text, ByPeer: true}
	}
	if silent := net.Error(nil); errors.As(err, &silent) && silent.Timeout() {
		return &ClosedError{Code: wire.CloseNoHeartbeat, Text: "nothing heard"}
	}
	return err
}
