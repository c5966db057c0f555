package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// link is one connection to the relay.
type link struct {
	*ws.Conn
	local      net.Addr
	onMessage  func(wire.Message)
	retryAfter time.Duration // owned by the reader: from going_away
}

// ended is the end of a connection, with what the relay said of coming back.
type ended struct {
	cause      error
	retryAfter time.Duration
}

func (e *ended) Error() string { return e.cause.Error() }

func (e *ended) Unwrap() error { return e.cause }

// Is makes the close codes that end a login known by their errors.
func (e *ended) Is(target error) bool {
	switch e.code() {
	case wire.CloseAuthEnded:
		return target == ErrUnauthorized
	case wire.CloseSuperseded:
		return target == ErrSuperseded
	default:
		return false
	}
}

func (e *ended) code() wire.CloseCode {
	if closed := (*ws.ClosedError)(nil); errors.As(e.cause, &closed) {
		return closed.Code
	}
	return 0
}

// run serves the connection until it ends.
func (l *link) run(ctx context.Context, onUp func()) error {
	if onUp != nil {
		onUp()
	}
	watched, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if awaitMove(watched, l.local) {
			l.Drop(ErrMoved)
		}
	})
	err := l.Serve(ctx, l.receive)
	stop()
	watching.Wait()
	return &ended{cause: err, retryAfter: l.retryAfter}
}

// receive handles one frame. One that the contract does not know is ignored:
// the relay may be newer than we are.
func (l *link) receive(frame []byte) {
	m, err := wire.Decode(frame, wire.Relay)
	switch {
	case err != nil:
	case m.Type == wire.TypePing:
		l.Send(wire.Encode(wire.Message{Type: wire.TypePong}))
	case m.Type == wire.TypePong:
	case m.Type == wire.TypeGoingAway:
		l.retryAfter = time.Duration(m.RetryMS) * time.Millisecond
	default:
		l.onMessage(m)
	}
}
