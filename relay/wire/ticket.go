package wire

import "log/slog"

// Ticket is what a relay gives both parties of a session, so that a restarted
// one can take the session back: a note of the relay to itself, opaque to
// everybody else. It counts only on a socket of the session's own robot or user,
// and is kept out of logs all the same.
type Ticket string

// String hides the ticket.
func (Ticket) String() string { return "***" }

// GoString hides the ticket.
func (Ticket) GoString() string { return "***" }

// LogValue hides the ticket.
func (Ticket) LogValue() slog.Value { return slog.StringValue("***") }
