package auth

import "errors"

var (
	// ErrUnauthenticated is the one answer to bad credentials of any kind.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrUsed is an ErrUnauthenticated whose signature is genuine, but has been
	// accepted before.
	ErrUsed = deny("signature used before")
	// ErrBusy says that too many passwords are being checked already: try later.
	ErrBusy = errors.New("too many logins at once")
)

// denial is an ErrUnauthenticated with a cause for the log.
type denial struct{ cause string }

func (*denial) Error() string { return ErrUnauthenticated.Error() }

func (*denial) Is(target error) bool { return target == ErrUnauthenticated }

func deny(cause string) error { return &denial{cause} }

// Cause returns why credentials were refused, in a few constant words for the
// log: it never goes to the client. For any other error it is empty.
func Cause(err error) string {
	if d, ok := errors.AsType[*denial](err); ok {
		return d.cause
	}
	return ""
}

// InvalidError says that an email or password cannot be used for an account. Its
// text is fit for the person who typed it and does not repeat what they typed.
type InvalidError struct {
	Field string // "email" or "password"
	Rule  string
}

func (e *InvalidError) Error() string { return e.Field + " " + e.Rule }
