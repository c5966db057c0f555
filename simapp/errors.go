package simapp

import (
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
)

// Errors that end a viewing. See also [RelayError], [ClosedError] and
// [TimeoutError].
var (
	// ErrClosed says that the viewing or its phone was closed on this side.
	ErrClosed = errors.New("closed by this app")
	// ErrICEFailed says that no path to the robot was found, or that it broke.
	ErrICEFailed = errors.New("the connection to the robot failed")
	// ErrNoCodec says that the robot offers no video this viewing accepts.
	ErrNoCodec = errors.New("the robot offers no video in an accepted codec")
	// ErrNoControl says that the robot has opened no control channel (yet).
	ErrNoControl = errors.New("the control channel is not open")
)

// RelayError is an error message of the relay, or a robot's webrtc_error that
// it forwarded (CONTRACT §4).
type RelayError struct {
	// Code names the cause; a robot in the field may send none.
	Code wire.Code
	// Text is meant for people.
	Text string
	// RetryAfter says when another request may succeed, zero if unknown.
	RetryAfter time.Duration
}

func (e *RelayError) Error() string {
	if e.Code == "" {
		return e.Text
	}
	return fmt.Sprintf("%s (%s)", e.Text, e.Code)
}

// ClosedError says that the other side or the relay ended the session.
type ClosedError struct{ Reason wire.Reason }

func (e *ClosedError) Error() string {
	if e.Reason == "" {
		return "the session was closed"
	}
	return "the session was closed: " + string(e.Reason)
}

// TimeoutError says which phase of a viewing did not end in time.
type TimeoutError struct {
	Missing string // what was waited for
	After   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s did not come within %s", e.Missing, e.After)
}

// Timeout says that it is one, as net.Error does.
func (*TimeoutError) Timeout() bool { return true }

// errorIn returns the error a message brings, nil for any other message.
func errorIn(m wire.Message) error {
	switch m.Type {
	case wire.TypeError:
		return &RelayError{m.Code, m.Text, time.Duration(m.RetryAfter) * time.Second}
	case wire.TypeRobotError:
		return &RelayError{Code: m.Code, Text: m.Error}
	case wire.TypeClose:
		return &ClosedError{m.Reason}
	default:
		return nil
	}
}
