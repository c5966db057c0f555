package peer

import (
	"errors"

	"wimz.dev/live/relay/wire"
)

// State is how far a session is.
type State string

// The states, in their order. A session may go from connected to disconnected
// and back several times.
const (
	Offered      State = "offered"
	Answered     State = "answered"
	Connected    State = "connected"    // media flows
	Disconnected State = "disconnected" // nothing heard for a while; it may come back
	Closed       State = "closed"       // its place is free again
)

// Ends of a session that are nobody's fault.
var (
	errClosed   = errors.New("closed by the relay")
	errStopped  = errors.New("the robot stops")
	errAppLeft  = errors.New("the app closed the connection")
	errAppGone  = errors.New("the app has not been heard for a while, and another waits for its place")
	errNoAnswer = errors.New("the app did not answer")
)

// Failures.
var (
	errNoPath  = errors.New("no network path to the app: no candidate pair worked; a TURN server may be missing or refused")
	errOverrun = errors.New("too many messages at once")
	errPanic   = errors.New("a fault in the robot's program; its log says more")
)

func quiet(cause error) bool {
	return errors.Is(cause, errClosed) || errors.Is(cause, errStopped) || errors.Is(cause, errAppLeft) || errors.Is(cause, errAppGone)
}

// sayGoodbye tells the relay, and through it the app, why the session ended.
func (p *Peer) sayGoodbye(cause error) {
	switch {
	case errors.Is(cause, errClosed):
	case errors.Is(cause, errStopped):
		p.send(wire.Message{Type: wire.TypeClose, Reason: wire.ReasonRobotLeft})
	case errors.Is(cause, errAppLeft):
		p.send(wire.Message{Type: wire.TypeClose, Reason: wire.ReasonAppLeft})
	case errors.Is(cause, errAppGone):
		p.send(wire.Message{Type: wire.TypeClose, Reason: wire.ReasonAppGone})
	case errors.Is(cause, errNoAnswer):
		p.send(wire.Message{Type: wire.TypeClose, Reason: wire.ReasonAnswerTimeout})
	default:
		p.send(wire.Message{Type: wire.TypeRobotError, Code: wire.CodeInternal, Error: cause.Error()})
	}
}
