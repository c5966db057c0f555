package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/internal/store"
)

// guarded is an account with a token, and a clock.
type guarded struct {
	*testing.T
	users    *memory
	accounts *Accounts
	tokens   *Tokens
	guard    *Guard
	now      time.Time
}

func newGuarded(t *testing.T) (*guarded, store.User) {
	t.Helper()
	g := &guarded{T: t, users: &memory{revoked: map[store.TokenID]bool{}}, now: noon}
	clock := func() time.Time { return g.now }
	g.accounts = NewAccounts(g.users, NewPasswords(hashersAtOnce, hashersWaiting), clock)
	g.tokens = NewTokens(key, time.Hour, clock)
	g.guard = NewGuard(g.tokens, g.users)
	u, err := g.accounts.Register(t.Context(), "ann@example.com", password)
	if err != nil {
		t.Fatal(err)
	}
	return g, u
}

// is checks why a token is refused; empty: it is not.
func (g *guarded) is(token, cause string) Claims {
	g.Helper()
	c, err := g.guard.Admit(g.Context(), token)
	if Cause(err) != cause || (err != nil) != (cause != "") {
		g.Errorf("got %v (%s), want %q", err, Cause(err), cause)
	}
	return c
}

func TestGuard(t *testing.T) {
	g, u := newGuarded(t)
	token, _ := g.tokens.Issue(u)
	claims := g.is(token, "")
	if claims.User != u {
		t.Errorf("the account is %+v", claims.User)
	}
	g.is("garbage", "malformed token")

	g.users.revoked[claims.TokenID] = true
	g.is(token, "revoked token")
	if err := g.guard.Check(t.Context(), claims); Cause(err) != "revoked token" {
		t.Errorf("claims of before: %v", err)
	}
	another, _ := g.tokens.Issue(u)
	g.is(another, "")

	if err := g.accounts.Disable(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	g.is(another, "token of a disabled account")
	if err := g.accounts.Enable(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	g.is(another, "token older than the account's oldest")

	g.users.broken = errBroken
	if _, err := g.guard.Admit(t.Context(), another); !errors.Is(err, errBroken) || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the store is broken: %v", err)
	}
	g.users.broken = nil
	clear(g.users.users)
	g.is(another, "token of an account that is gone")
}

// TestUnchanged: whatever has become of an account, the proof of before is void.
func TestUnchanged(t *testing.T) {
	g, u := newGuarded(t)
	if err := g.guard.Unchanged(t.Context(), u); err != nil {
		t.Errorf("nothing has happened: %v", err)
	}
	for what, do := range map[string]func(*store.User){
		"disabled": func(u *store.User) { u.Disabled = true },
		"password": func(u *store.User) { u.PasswordHash = "another" },
		"voided":   func(u *store.User) { u.TokensFrom = noon },
	} {
		if err := g.users.change(u.ID, do); err != nil {
			t.Fatal(err)
		}
		if err := g.guard.Unchanged(t.Context(), u); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%s: %v", what, err)
		}
		g.users.users[u.Email] = u
	}
	g.users.broken = errBroken
	if err := g.guard.Unchanged(t.Context(), u); !errors.Is(err, errBroken) || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the store is broken: %v", err)
	}
	g.users.broken = nil
	clear(g.users.users)
	if err := g.guard.Unchanged(t.Context(), u); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("it is gone: %v", err)
	}
}

// TestPasswordChangeVoidsTokens of the same second, too, and twice in one second
// voids twice; the tokens given out after it count at once.
func TestPasswordChangeVoidsTokens(t *testing.T) {
	g, u := newGuarded(t)
	g.now = noon.Add(300 * time.Millisecond)
	before, _ := g.tokens.Issue(u)
	if _, err := g.accounts.ChangePassword(t.Context(), u, "wrong horse", "battery staple"); Cause(err) != "wrong password" {
		t.Errorf("with a wrong password: %v", err)
	}
	if _, err := g.accounts.ChangePassword(t.Context(), u, strings.Repeat("x", 1025), "battery staple"); Cause(err) != "password too long" {
		t.Errorf("with a long password: %v", err)
	}
	if _, err := g.accounts.ChangePassword(t.Context(), u, password, "short"); err == nil || Cause(err) != "" {
		t.Errorf("to a short one: %v", err)
	}
	g.is(before, "")

	for _, passwords := range [][2]string{{password, "battery staple"}, {"battery staple", "third password"}} {
		changed, err := g.accounts.ChangePassword(t.Context(), u, passwords[0], passwords[1])
		if err != nil {
			t.Fatal(err)
		}
		g.is(before, "token older than the account's oldest")
		before, _ = g.tokens.Issue(changed)
		if c := g.is(before, ""); c.User != changed {
			t.Errorf("the account is %+v, want %+v", c.User, changed)
		}
		if _, err = g.accounts.Login(t.Context(), u.Email, passwords[0]); Cause(err) != "wrong password" {
			t.Errorf("the old password: %v", err)
		}
		if u, err = g.accounts.Login(t.Context(), u.Email, passwords[1]); err != nil || u != changed {
			t.Errorf("the new password: %v", err)
		}
	}
}

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// TestTokensMadeElsewhere: with our secret, and without what we would add.
func TestTokensMadeElsewhere(t *testing.T) {
	g, u := newGuarded(t)
	sign := func(claims jwt.MapClaims) string {
		claims["sub"], claims["exp"] = string(u.ID), noon.Add(time.Hour).Unix()
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	seen := map[store.TokenID]bool{}
	bare := sign(jwt.MapClaims{})
	for _, token := range []string{bare, sign(jwt.MapClaims{"jti": "1"}), sign(jwt.MapClaims{"jti": "1", "n": 2})} {
		c := g.is(token, "")
		if seen[c.TokenID] || len(c.TokenID) != 64 {
			t.Errorf("its name is %q", c.TokenID)
		}
		seen[c.TokenID] = true
	}
	g.users.revoked[g.is(bare, "").TokenID] = true
	g.is(bare, "revoked token")
	// A signature can be written in many ways.
	last := strings.IndexByte(base64URL, bare[len(bare)-1])
	for _, other := range []string{bare + "\n", bare[:len(bare)-9] + "\r\n" + bare[len(bare)-9:], bare[:len(bare)-1] + base64URL[last^1:][:1]} {
		if _, err := g.guard.Admit(t.Context(), other); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("revoked as %q, it counts as %q: %v", bare, other, err)
		}
	}

	if err := g.accounts.Disable(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if err := g.accounts.Enable(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	g.is(sign(jwt.MapClaims{"n": 3}), "token older than the account's oldest") // nobody knows how old it is
}
