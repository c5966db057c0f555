package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
)

const key config.Secret = "0123456789abcdef0123456789abcdef"

var ann = store.User{ID: "7f9c2ba4-e88f-427d-9e74-3b1a2f0c1d5e", Email: "ann@example.com"}

func TestIssueAndVerify(t *testing.T) {
	now := noon
	tokens := NewTokens(key, TokenLifetime, func() time.Time { return now })
	token, expiresIn := tokens.Issue(ann)
	if expiresIn != 24*time.Hour {
		t.Errorf("expires in %v", expiresIn)
	}
	got, err := tokens.Verify(token)
	if err != nil {
		t.Fatal(err, Cause(err))
	}
	id := got.TokenID
	got.TokenID, got.IssuedAt, got.ExpiresAt = "", got.IssuedAt.UTC(), got.ExpiresAt.UTC()
	if want := (Claims{UserID: ann.ID, IssuedAt: noon, ExpiresAt: noon.Add(24 * time.Hour)}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if other, _ := tokens.Issue(ann); id == "" || other == token {
		t.Error("two tokens are the same")
	}
	now = noon.Add(24*time.Hour - time.Second)
	if _, err := tokens.Verify(token); err != nil {
		t.Errorf("one second before the end: %s", Cause(err))
	}
	now = noon.Add(24 * time.Hour)
	if _, err := tokens.Verify(token); Cause(err) != "expired token" {
		t.Errorf("at the end: %v", err)
	}
}

// TestSecretsRotate: the first signs, all verify.
func TestSecretsRotate(t *testing.T) {
	const fresh = "fedcba9876543210fedcba9876543210"
	old := NewTokens(key, time.Hour, atNoon)
	both := NewTokens(fresh+" , "+key, time.Hour, atNoon)
	after := NewTokens(fresh, time.Hour, atNoon)
	before, _ := old.Issue(ann)
	since, _ := both.Issue(ann)
	for _, tc := range []struct {
		name   string
		tokens *Tokens
		token  string
		cause  string
	}{
		{"an old token while both verify", both, before, ""},
		{"a new token while both verify", both, since, ""},
		{"a new token when the old secret is gone", after, since, ""},
		{"an old token when the old secret is gone", after, before, "token with a foreign signature"},
		{"a new token where only the old secret is", old, since, "token with a foreign signature"},
	} {
		if _, err := tc.tokens.Verify(tc.token); Cause(err) != tc.cause {
			t.Errorf("%s: %v (%s), want %q", tc.name, err, Cause(err), tc.cause)
		}
	}
}

func TestClaimsOnTheWire(t *testing.T) {
	token, _ := NewTokens(key, time.Hour, atNoon).Issue(ann)
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil {
		t.Fatal(err)
	}
	delete(claims, "jti")
	want := map[string]any{
		"sub": string(ann.ID), "user_id": string(ann.ID), "email": ann.Email,
		"iat": float64(noon.Unix()), "exp": float64(noon.Add(time.Hour).Unix()),
	}
	if fmt.Sprint(claims) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", claims, want)
	}
}

func TestVerifyRefuses(t *testing.T) {
	type claims = jwt.MapClaims
	hour := noon.Add(time.Hour).Unix()
	sign := func(method jwt.SigningMethod, key any, c claims) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	hs256 := func(c claims) string { return sign(jwt.SigningMethodHS256, []byte(key), c) }
	good := hs256(claims{"sub": "u", "exp": hour})
	for _, tc := range []struct{ name, token, cause string }{
		{"foreign but complete", good, ""},
		{"none", "", "no token"},
		{"garbage", "garbage", "malformed token"},
		{"too long", good + strings.Repeat("A", 4096), "token too long"},
		{"changed", good[:len(good)-2] + "AA", "token with a foreign signature"},
		{"other key", sign(jwt.SigningMethodHS256, []byte("another"), claims{"sub": "u", "exp": hour}), "token with a foreign signature"},
		{"other hash", sign(jwt.SigningMethodHS512, []byte(key), claims{"sub": "u", "exp": hour}), "token with a foreign signature"},
		{"unsigned", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims{"sub": "u", "exp": hour}), "token with a foreign signature"},
		{"no expiry", hs256(claims{"sub": "u"}), "token without expiry"},
		{"expired", hs256(claims{"sub": "u", "exp": noon.Unix() - 1}), "expired token"},
		{"not yet", hs256(claims{"sub": "u", "exp": hour, "nbf": hour}), "token not valid yet"},
		{"no user", hs256(claims{"exp": hour}), "token names no user"},
		{"two users", hs256(claims{"sub": "u", "user_id": "v", "exp": hour}), "token names no user"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := NewTokens(key, time.Hour, atNoon).Verify(tc.token)
			if Cause(err) != tc.cause || (err != nil && (got != Claims{} || !errors.Is(err, ErrUnauthenticated))) {
				t.Errorf("got %+v, %v (%s), want %q", got, err, Cause(err), tc.cause)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	tokens := NewTokens(key, time.Hour, atNoon)
	good, _ := tokens.Issue(ann)
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := tokens.Verify(token)
		if (err == nil) != (claims.UserID == ann.ID) || (err != nil && Cause(err) == "") {
			t.Errorf("got %+v, %v", claims, err)
		}
	})
}
