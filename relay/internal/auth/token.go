package auth

import (
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
	Email     string // empty in a token of somebody else's making
	TokenID   string // the jti claim
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Tokens issues and verifies the tokens of apps: JWT (RFC 7519) signed with HS256
// (RFC 7518 §3.2). It is safe for concurrent use.
type Tokens struct {
	secret   config.Secret
	lifetime time.Duration
	now      func() time.Time
	parser   *jwt.Parser
}

// payload is the claims on the wire (CONTRACT §2). user_id repeats sub for the
// apps in the field.
type payload struct {
	jwt.RegisteredClaims

	UserID string `json:"user_id,omitempty"`
	Email  string `json:"email,omitempty"`
}

// NewTokens returns an issuer whose tokens last lifetime, usually [TokenLifetime].
// now is usually [time.Now]. The secret has been checked by [config.Config.CheckJWTSecret].
func NewTokens(secret config.Secret, lifetime time.Duration, now func() time.Time) *Tokens {
	return &Tokens{secret, lifetime, now, jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(now),
	)}
}

// Issue returns a fresh token for the user and how long it lasts.
func (t *Tokens) Issue(u store.User) (token string, expiresIn time.Duration) {
	now := t.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, payload{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   string(u.ID),
			ID:        uuid.NewString(),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(t.lifetime)),
		},
		UserID: string(u.ID),
		Email:  u.Email,
	}).SignedString([]byte(t.secret.Reveal()))
	if err != nil {
		panic("auth: " + err.Error()) // strings and numbers encode, and an HMAC takes any key
	}
	return token, t.lifetime
}

// Verify returns what the token says, or [ErrUnauthenticated]. Only HS256 with an
// expiry in the future is accepted. It does not ask whether the account still exists.
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
	c := Claims{UserID: store.UserID(p.Subject), Email: p.Email, TokenID: p.ID, ExpiresAt: p.ExpiresAt.Time}
	if p.IssuedAt != nil {
		c.IssuedAt = p.IssuedAt.Time
	}
	return c, nil
}

func (t *Tokens) key(*jwt.Token) (any, error) { return []byte(t.secret.Reveal()), nil }
