package hub

import (
	"errors"

	"wimz.dev/live/relay/wire"
)

// Meter counts what goes through the sockets. Its methods may be called from any
// goroutine; they return at once and allocate nothing, being called for every
// message.
type Meter interface {
	// Opened and Closed are called for each socket; the cause is what
	// [ws.Conn.Serve] returned.
	Opened(of wire.Party)
	Closed(of wire.Party, cause error)
	// Heard is called for each message that a party has sent, Told for each that
	// it is sent.
	Heard(from wire.Party, t wire.Type)
	Told(to wire.Party, t wire.Type)
	// Dropped is called for each message that goes nowhere.
	Dropped(why Drop)
	// Refused is called for each error message that a party is sent.
	Refused(code wire.Code)
}

// Drop says why a message goes nowhere.
type Drop uint8

// Why messages go nowhere.
const (
	DropMalformed     Drop = iota // it breaks the contract
	DropUnknownType               // it is of a later version of the contract
	DropRateLimited               // its sender sends too many
	DropNoSession                 // it is for a session that does not exist (any more)
	DropUndeliverable             // its receiver does not read, or has just gone
)

// dropFor returns why a frame that could not be decoded was dropped.
func dropFor(err error) Drop {
	if errors.Is(err, wire.ErrUnknownType) {
		return DropUnknownType
	}
	return DropMalformed
}

// unmeasured is the Meter of a hub without one.
type unmeasured struct{}

func (unmeasured) Opened(wire.Party)           {}
func (unmeasured) Closed(wire.Party, error)    {}
func (unmeasured) Heard(wire.Party, wire.Type) {}
func (unmeasured) Told(wire.Party, wire.Type)  {}
func (unmeasured) Dropped(Drop)                {}
func (unmeasured) Refused(wire.Code)           {}
