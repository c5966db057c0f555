// Package bus carries messages between the sockets and the sessions of a relay.
//
// An address has one owner, who claims it: a robot's socket, an app's socket, a
// session. A topic has any number of members: all apps of a user, all sessions
// that care whether a robot is there. Both are plain strings, built by the
// functions of address.go only.
package bus

import (
	"context"
	"errors"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// Errors of Send.
var (
	// ErrNobody says that nobody owns the address.
	ErrNobody = errors.New("nobody at this address")
	// ErrBusy says that the owner cannot take the message now.
	ErrBusy = errors.New("busy")
)

// PeerID names one socket of an app. It is never sent to anybody.
type PeerID string

// Sender is who an envelope is from, as authenticated by the relay. An app has
// a Peer, a User and the Token it lives by, a robot has a Device.
type Sender struct {
	Party  wire.Party
	Peer   PeerID
	User   store.UserID
	Token  store.TokenID
	Device wire.DeviceID
}

// Kind says what an envelope tells.
type Kind uint8

// Kinds of envelopes.
const (
	Message      Kind = iota // a message of the wire
	Lost                     // the sender's socket is gone
	Back                     // the sender's socket is there again
	End                      // the session must end, for the reason in Message
	LoginEnded               // From's Token has ended; without one, the whole login of its User
	OwnerChanged             // From's Device may have another owner
)

// Envelope is what travels.
type Envelope struct {
	Kind    Kind
	From    Sender
	Message wire.Message
	ReadAt  time.Time // when the message came from its socket; zero if it is the relay's own
}

// Deliver takes an envelope in. It may wait for room until ctx ends, and then
// returns its error; it is called from the sender's goroutine.
type Deliver func(ctx context.Context, e Envelope) error

// Bus connects senders with owners and members. Its methods may be called from
// any goroutine.
type Bus interface {
	// Claim makes the caller the owner of an address. If it has an owner
	// already the address moves and that one's moved is called, once, without
	// waiting for it. release gives the address up and reports whether the
	// caller still owned it.
	Claim(address string, deliver Deliver, moved func()) (release func() bool)
	// Send delivers to the owner of an address, or returns ErrNobody or ErrBusy.
	Send(ctx context.Context, address string, e Envelope) error
	// Owned reports whether an address has an owner.
	Owned(ctx context.Context, address string) (bool, error)
	// Join makes the caller a member of a topic until leave is called.
	Join(topic string, deliver Deliver) (leave func())
	// Publish delivers to every member of a topic.
	Publish(ctx context.Context, topic string, e Envelope)
}
