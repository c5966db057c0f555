package wire

import "time"

// Limits both ends of a socket hold (CONTRACT §3.3).
const (
	// MaxFrame is the largest text frame in bytes: an SDP with every codec and
	// candidate of a browser is about 10 KiB.
	MaxFrame = 64 << 10
	// MaxIDLen is the length of the longest device or session identifier.
	MaxIDLen = 64
	// MaxSessions is how many sessions a robot may report at once; it has two.
	MaxSessions = 4
	// MaxTicket bounds a session ticket in bytes; ours have fewer than 400.
	MaxTicket = 512
	// MaxText bounds free text (reasons, error messages) in bytes.
	MaxText = 512
	// MaxNameLen is the length of the longest name of a command or an event.
	MaxNameLen = 64
	// MaxData bounds the data of a command in bytes; the largest in the field,
	// a schedule, has less than 1 KiB.
	MaxData = 16 << 10
	// MaxDepth is how deep data and events may be nested: what is read by
	// recursion must not be endless.
	MaxDepth = 32
	// MaxFilledIn is what a frame of a robot may lack of MaxFrame, so that
	// there is room for the device and the time in it, in bytes.
	MaxFilledIn = 256
	// MaxTimestamp bounds the time in a command or an event, in bytes.
	MaxTimestamp = 64

	// MaxCommandAge is how old a command may be: a robot must not act on what
	// its driver wanted a while ago.
	MaxCommandAge = 2 * time.Second
	// MaxClockLead is how far ahead of the relay a sender's clock may be.
	MaxClockLead = 5 * time.Second

	// PingInterval is the time between two protocol pings of the relay.
	PingInterval = 20 * time.Second
	// ReadTimeout is how long a silent socket is believed to be alive: two
	// lost pings and a little.
	ReadTimeout = 45 * time.Second
	// WriteTimeout bounds one write to a socket.
	WriteTimeout = 5 * time.Second

	// OfferTimeout is how long a robot has to offer.
	OfferTimeout = 10 * time.Second
	// AnswerTimeout is how long an app has to answer.
	AnswerTimeout = 15 * time.Second
)

// CloseCode is a WebSocket close status (RFC 6455 §7.4). Its value says what
// the other end does next; see [CloseCode.Retry].
type CloseCode int

// Close codes of CONTRACT §3.3.
const (
	CloseGoingAway   CloseCode = 1001 // the relay stops: come back, with jitter
	CloseTooLarge    CloseCode = 1009 // a frame over MaxFrame
	CloseAuthEnded   CloseCode = 4001 // the login ended: log in again
	CloseNoHeartbeat CloseCode = 4002 // nothing heard for ReadTimeout
	CloseSuperseded  CloseCode = 4003 // taken over elsewhere: do not retry
	CloseTooSlow     CloseCode = 4008 // the peer's queue was full
	CloseReplaced    CloseCode = 4009 // a newer connection of the same device
)

// Retry reports whether a client closed with this code should dial again with
// the credentials it has.
func (c CloseCode) Retry() bool {
	return c != CloseAuthEnded && c != CloseSuperseded
}
