package auth

import (
	"context"
	"errors"
	"time"

	"wimz.dev/live/relay/internal/store"
)

// standingTime bounds the question how an account stands.
const standingTime = 5 * time.Second

// Standings knows how accounts stand; see [store.Users].
type Standings interface {
	Standing(ctx context.Context, id store.UserID, token store.TokenID) (u store.User, revoked bool, err error)
}

// Guard is the one place that says whether a token counts: every request, every
// upgrade and every token that a socket is given comes through it. It is safe for
// concurrent use.
type Guard struct {
	tokens   *Tokens
	accounts Standings
}

// NewGuard returns a guard for the tokens of these accounts.
func NewGuard(tokens *Tokens, accounts Standings) *Guard { return &Guard{tokens, accounts} }

// Admit returns what a token says if it counts, with the account as it is. The
// error is [ErrUnauthenticated], the context's, or the store's.
func (g *Guard) Admit(ctx context.Context, token string) (Claims, error) {
	c, err := g.tokens.Verify(token)
	if err != nil {
		return Claims{}, err
	}
	if c.User, err = g.standing(ctx, &c); err != nil {
		return Claims{}, err
	}
	return c, nil
}

// Check returns nil if claims that were admitted still hold, else an error as
// Admit does. Who is told of revocations asks once more after having begun to
// listen: one that came between Admit and that was told to nobody.
func (g *Guard) Check(ctx context.Context, c Claims) error {
	_, err := g.standing(ctx, &c)
	return err
}

// Unchanged returns nil if the account is still as it was when u was read, else an
// error as Admit does. Who issues a token on the strength of a password or an older
// token asks after issuing: a password changed meanwhile has voided that proof, but
// not the new token, which may be younger.
func (g *Guard) Unchanged(ctx context.Context, u store.User) error {
	ctx, cancel := context.WithTimeout(ctx, standingTime)
	defer cancel()
	now, _, err := g.accounts.Standing(ctx, u.ID, "")
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case now != u:
		return deny("account changed meanwhile")
	}
	return nil
}

func (g *Guard) standing(ctx context.Context, c *Claims) (store.User, error) {
	ctx, cancel := context.WithTimeout(ctx, standingTime)
	defer cancel()
	u, revoked, err := g.accounts.Standing(ctx, c.UserID, c.TokenID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return u, deny("token of an account that is gone")
	case err != nil:
		return u, err
	case u.Disabled:
		return u, deny("token of a disabled account")
	case revoked:
		return u, deny("revoked token")
	case c.IssuedAt.Before(u.TokensFrom):
		return u, deny("token older than the account's oldest")
	}
	return u, nil
}
