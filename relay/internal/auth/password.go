package auth

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"wimz.dev/live/relay/internal/config"
)

// anyNumber of logins is more than there can be connections.
const anyNumber = 1 << 24

// Passwords hashes and checks passwords with Argon2id (RFC 9106). It is safe for
// concurrent use; one is shared by everything in the process.
type Passwords struct {
	params *argon2id.Params
	nobody config.Secret // checked when there is no account
	queue  chan struct{} // one place for each caller, working or waiting
	slots  chan struct{} // one place for each that works
}

// NewPasswords returns a hasher with the parameters OWASP recommends for Argon2id:
// 19 MiB, two passes, one lane. It works on atOnce passwords at a time, while
// waiting others may wait (0: any number); one more is told ErrBusy.
func NewPasswords(atOnce, waiting int) *Passwords {
	params := &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	return &Passwords{
		params: params,
		nobody: hashOfNobody(params),
		queue:  make(chan struct{}, atOnce+cmp.Or(waiting, anyNumber)),
		slots:  make(chan struct{}, atOnce),
	}
}

// Hash returns the salted hash of a password, with its parameters in it. It waits
// for its turn; the error is [ErrBusy] or the context's.
func (p *Passwords) Hash(ctx context.Context, password string) (config.Secret, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	hash, err := argon2id.CreateHash(password, p.params)
	return config.Secret(hash), err
}

// Matches reports whether password is the one that was hashed. An empty hash, for
// an account that does not exist, matches nothing and takes as long as any other.
func (p *Passwords) Matches(ctx context.Context, password string, hash config.Secret) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	exists := hash != ""
	if !exists {
		hash = p.nobody
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash.Reveal())
	return match && exists, err
}

func (p *Passwords) enter(ctx context.Context) error {
	select {
	case p.queue <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-p.queue
		return context.Cause(ctx)
	}
}

func (p *Passwords) leave() {
	<-p.slots
	<-p.queue
}

// hashOfNobody returns a well-formed hash that costs as much to check as a real one.
func hashOfNobody(params *argon2id.Params) config.Secret {
	zeros := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return config.Secret(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		params.Memory, params.Iterations, params.Parallelism, zeros(params.SaltLength), zeros(params.KeyLength)))
}
