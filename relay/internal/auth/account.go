package auth

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

// Bounds of what an account is made with.
const (
	// MaxEmail is the longest address in bytes that mail can be sent to
	// (RFC 5321 §4.5.3.1.3, less the angle brackets).
	MaxEmail = 254
	// MinPassword and MaxPassword bound a password in bytes; the upper bound is
	// there because a hash's cost must not depend on the client.
	MinPassword = 8
	MaxPassword = 1024
)

// Users is what accounts need of a store.
type Users interface {
	CreateUser(ctx context.Context, u store.User) error
	UserByEmail(ctx context.Context, email string) (store.User, error)
	SetPassword(ctx context.Context, id store.UserID, hash config.Secret, tokensFrom time.Time) error
	DisableUser(ctx context.Context, id store.UserID, disabled bool, tokensFrom time.Time) error
}

// Accounts registers people and logs them in. It is safe for concurrent use.
type Accounts struct {
	users     Users
	passwords *Passwords
	now       func() time.Time
}

// NewAccounts returns the accounts kept in users. now is usually [time.Now].
func NewAccounts(users Users, passwords *Passwords, now func() time.Time) *Accounts {
	return &Accounts{users, passwords, now}
}

// Register makes an account. The error is an [*InvalidError], [store.ErrTaken],
// [ErrBusy], the context's, or the store's.
func (a *Accounts) Register(ctx context.Context, email, password string) (store.User, error) {
	email, err := ParseEmail(email)
	if err != nil {
		return store.User{}, err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return store.User{}, err
	}
	u := store.NewUser(email, hash, a.now())
	if err := a.users.CreateUser(ctx, u); err != nil {
		return store.User{}, err
	}
	return u, nil
}

// hash hashes a password that may be chosen; else the error is an [*InvalidError].
func (a *Accounts) hash(ctx context.Context, password string) (config.Secret, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return "", &InvalidError{"password", "must have 8 to 1024 bytes"}
	}
	return a.passwords.Hash(ctx, password)
}

// Login returns the account that email and password belong to, or
// [ErrUnauthenticated], [ErrBusy], the context's error, or the store's. An unknown
// email, a wrong password and a disabled account all take one question to the
// store and one hash.
func (a *Accounts) Login(ctx context.Context, email, password string) (store.User, error) {
	if len(password) > MaxPassword {
		return store.User{}, deny("password too long")
	}
	u, err := a.find(ctx, email)
	if err != nil {
		return store.User{}, err
	}
	match, err := a.passwords.Matches(ctx, password, u.PasswordHash)
	switch {
	case err != nil:
		return store.User{}, err
	case u.ID == "":
		return store.User{}, deny("unknown email")
	case !match:
		return store.User{}, deny("wrong password")
	case u.Disabled:
		return store.User{}, deny("disabled account")
	}
	return u, nil
}

// ChangePassword sets a new password for who knows the old one, and voids every
// token of the account issued until now. It returns the account as it is then. The
// error is [ErrUnauthenticated] for a wrong old password, or one of SetPassword's.
func (a *Accounts) ChangePassword(ctx context.Context, u store.User, old, password string) (store.User, error) {
	if len(old) > MaxPassword {
		return store.User{}, deny("password too long")
	}
	match, err := a.passwords.Matches(ctx, old, u.PasswordHash)
	switch {
	case err != nil:
		return store.User{}, err
	case !match:
		return store.User{}, deny("wrong password")
	}
	return a.SetPassword(ctx, u, password)
}

// SetPassword sets a password without asking for the old one, and voids every
// token of the account issued until now. It returns the account as it is then. The
// error is an [*InvalidError], [store.ErrNotFound], [ErrBusy], the context's, or
// the store's.
func (a *Accounts) SetPassword(ctx context.Context, u store.User, password string) (store.User, error) {
	hash, err := a.hash(ctx, password)
	if err != nil {
		return store.User{}, err
	}
	u.PasswordHash, u.TokensFrom = hash, a.nextToken(u)
	return u, a.users.SetPassword(ctx, u.ID, u.PasswordHash, u.TokensFrom)
}

// Disable shuts an account: nobody can log in, and every token issued until now is
// void. The error is [store.ErrNotFound], the context's, or the store's.
func (a *Accounts) Disable(ctx context.Context, u store.User) error {
	return a.users.DisableUser(ctx, u.ID, true, a.nextToken(u))
}

// Enable opens a disabled account again. Tokens that were void stay so. The error
// is [store.ErrNotFound], the context's, or the store's.
func (a *Accounts) Enable(ctx context.Context, u store.User) error {
	return a.users.DisableUser(ctx, u.ID, false, time.Time{})
}

// nextToken returns the TokensFrom of an account whose tokens all end now: the
// next whole second, for tokens tell theirs in whole seconds, and later than
// before, so that twice in a second voids twice.
func (a *Accounts) nextToken(u store.User) time.Time {
	next := a.now().UTC().Truncate(time.Second).Add(time.Second)
	if !next.After(u.TokensFrom) {
		next = u.TokensFrom.Add(time.Second)
	}
	return next
}

// find returns the account, or the zero User if there is none.
func (a *Accounts) find(ctx context.Context, email string) (store.User, error) {
	email, _ = ParseEmail(email) // or empty: no account has that, and the store is asked all the same
	u, err := a.users.UserByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil
	}
	return u, err
}

// ParseEmail returns the address in the form it is stored in, lower case, or an
// [*InvalidError]. Only a bare address (RFC 5322 addr-spec) of printable characters
// without quotes is one.
func ParseEmail(text string) (string, error) {
	invalid := &InvalidError{"email", "must be an address such as name@example.com"}
	text = strings.ToLower(strings.TrimSpace(text))
	address, err := mail.ParseAddress(text[:min(len(text), MaxEmail+1)])
	if err != nil || address.Address != text || len(text) > MaxEmail || strings.ContainsFunc(text, unprintable) {
		return "", invalid
	}
	return text, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
