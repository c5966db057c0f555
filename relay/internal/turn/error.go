package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Kind says why a provider failed.
type Kind string

// The kinds of failure, in words fit for a person.
const (
	KindTimeout   Kind = "timed out"
	KindNetwork   Kind = "unreachable"
	KindStatus    Kind = "refused the request" // with a status below 500
	KindUpstream  Kind = "failed"              // with a status of 500 or more
	KindTooLarge  Kind = "answered too much"
	KindMalformed Kind = "gave a malformed answer"
	KindNoTURN    Kind = "named no usable TURN server"
	KindResting   Kind = "keeps failing and is not asked for a moment" // see [Breaker]
)

// Error is a failure of the provider. Its text may be shown to users: it names
// kind and status, and repeats nothing that was sent or received.
type Error struct {
	Kind   Kind
	Status int // HTTP status, 0 if there was none
	// RetryAfter is how long the provider wants not to be asked, if it said so.
	RetryAfter time.Duration

	cause error // a network failure or context error, never from the answer
}

func (e *Error) Error() string {
	if e.Status == 0 {
		return "TURN provider " + string(e.Kind)
	}
	return fmt.Sprintf("TURN provider %s (HTTP %d)", e.Kind, e.Status)
}

// Unwrap gives the context error or the network failure below, if any.
func (e *Error) Unwrap() error { return e.cause }

// LogValue adds what operators need and users do not: the address that could
// not be reached, or what was wrong with its certificate.
func (e *Error) LogValue() slog.Value {
	if e.cause == nil {
		return slog.StringValue(e.Error())
	}
	return slog.StringValue(e.Error() + ": " + e.cause.Error())
}

// Temporary reports whether the same request may succeed a little later.
func (e *Error) Temporary() bool {
	switch e.Kind {
	case KindTimeout, KindNetwork, KindUpstream, KindResting:
		return true
	default:
		return e.Status == http.StatusTooManyRequests
	}
}

// transportError classifies what an HTTP client returned. Of the cause it keeps
// what was made on this side: net/http quotes a malformed answer in its errors.
func transportError(err error) *Error {
	e := &Error{Kind: KindNetwork}
	var (
		timeout  net.Error
		op       *net.OpError
		verified *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.Canceled):
		e.cause = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.cause = context.DeadlineExceeded
	case errors.As(err, &op):
		e.cause = op
	case errors.As(err, &verified):
		e.cause = verified
	}
	if errors.As(err, &timeout) && timeout.Timeout() {
		e.Kind = KindTimeout
	}
	return e
}
