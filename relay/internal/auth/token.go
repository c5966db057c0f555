package auth

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

const (
	// TokenLifetime is how long a token lasts unless told otherwise.
	TokenLifetime = 24 * time.Hour
	// maxToken bounds a token in bytes before it is parsed; ours have about 400.
	maxToken = 4 << 10
)

// Claims is what a valid token says.
type Claims struct {
	UserID    store.UserID
	TokenID   store.TokenID
	IssuedAt  time.Time // zero in a token that does not say
	ExpiresAt time.Time
	// User is the account as it was when the token was admitted; zero if nobody
	// has asked yet. See [Guard.Admit].
	User store.User
}

// Tokens issues and verifies the tokens of apps: JWT (RFC 7519) signed with HS256
// (RFC 7518 §3.2). It is safe for concurrent use.
type Tokens struct {
	signing   config.Secret
	verifying jwt.VerificationKeySet
	lifetime  time.Duration
	now       func() time.Time
	parser    *jwt.Parser
}

// payload is the claims on the wire (CONTRACT §2). user_id repeats sub for the
// apps in the field.
type payload struct {
	jwt.RegisteredClaims

	UserID string `json:"user_id,omitempty"`
	Email  string `json:"email,omitempty"`
}

// NewTokens returns an issuer whose tokens last lifetime, usually [TokenLifetime].
// now is usually [time.Now]. The secret, or several as [config.Secret.Parts] has
// them (the first signs, all verify), has been checked by
// [config.Config.CheckJWTSecret].
func NewTokens(secret config.Secret, lifetime time.Duration, now func() time.Time) *Tokens {
	t := &Tokens{lifetime: lifetime, now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(now),
	)}
	secrets := secret.Parts()
	t.signing = secrets[0]
	for _, secret := range secrets {
		t.verifying.Keys = append(t.verifying.Keys, []byte(secret.Reveal()))
	}
	return t
}

// Issue returns a fresh token for the user and how long it lasts. It is one that
// counts: when earlier ones have just been voided it is dated up to a second ahead.
func (t *Tokens) Issue(u store.User) (token string, expiresIn time.Duration) {
	now := t.now()
	if now.Before(u.TokensFrom) {
		now = u.TokensFrom
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, payload{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   string(u.ID),
			ID:        uuid.NewString(),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(t.lifetime)),
		},
		UserID: string(u.ID),
		Email:  u.Email,
	}).SignedString([]byte(t.signing.Reveal()))
	if err != nil {
		panic("auth: " + err.Error()) // strings and numbers encode, and an HMAC takes any key
	}
	return token, t.lifetime
}

// Verify returns what the token says, or [ErrUnauthenticated]. Only HS256 with an
// expiry in the future is accepted. Whether it still counts is for [Guard] to say.
func (t *Tokens) Verify(token string) (Claims, error) {
	switch {
	case token == "":
		return Claims{}, deny("no token")
	case len(token) > maxToken:
		return Claims{}, deny("token too long")
	}
	var p payload
	if _, err := t.parser.ParseWithClaims(token, &p, t.key); err != nil {
		return Claims{}, deny(tokenCause(err))
	}
	if p.Subject == "" || (p.UserID != "" && p.UserID != p.Subject) {
		return Claims{}, deny("token names no user")
	}
	c := Claims{UserID: store.UserID(p.Subject), TokenID: tokenID(token, p.ID), ExpiresAt: p.ExpiresAt.Time}
	if p.IssuedAt != nil {
		c.IssuedAt = p.IssuedAt.Time
	}
	return c, nil
}

func (t *Tokens) key(*jwt.Token) (any, error) { return t.verifying, nil }

// tokenID is what a token can be revoked by: its jti as we make them, a UUID. One
// that was made elsewhere may have none, or the same as others, or a long one: it
// goes by the hash of what is signed. The signature can be written in many ways.
func tokenID(token, jti string) store.TokenID {
	if id, err := uuid.Parse(jti); err == nil {
		return store.TokenID(id.String())
	}
	signed := token[:strings.LastIndexByte(token, '.')]
	return store.TokenID(fmt.Sprintf("%x", sha256.Sum256([]byte(signed))))
}
