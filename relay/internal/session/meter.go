package session

import (
	"time"

	"wimz.dev/live/relay/wire"
)

// Meter is told how sessions fare. Its methods may be called from any goroutine;
// they return at once and allocate nothing, being called for every message.
type Meter interface {
	// Entered is called when a session comes to a state other than [Closed], that
	// long after it was asked for; Left when it is in that state no more.
	Entered(s State, after time.Duration)
	Left(s State)
	// Ended is called once for each session that closes, with one of
	// [wire.Reasons], or "other".
	Ended(reason wire.Reason)
	// Forwarded is called when what one party said is with the other, that long
	// after it was read.
	Forwarded(took time.Duration)
	// Intruded is called when somebody speaks in a session that is not theirs.
	Intruded()
}

// unmeasured is the Meter of a service without one.
type unmeasured struct{}

func (unmeasured) Entered(State, time.Duration) {}
func (unmeasured) Left(State)                   {}
func (unmeasured) Ended(wire.Reason)            {}
func (unmeasured) Forwarded(time.Duration)      {}
func (unmeasured) Intruded()                    {}
