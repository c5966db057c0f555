package auth

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// tokenCause puts the parser's error in constant words: its own text may quote
// the token.
func tokenCause(err error) string {
	for _, known := range []struct {
		err   error
		cause string
	}{
		{jwt.ErrTokenMalformed, "malformed token"},
		{jwt.ErrTokenExpired, "expired token"},
		{jwt.ErrTokenRequiredClaimMissing, "token without expiry"},
		{jwt.ErrTokenNotValidYet, "token not valid yet"},
		{jwt.ErrTokenSignatureInvalid, "token with a foreign signature"},
	} {
		if errors.Is(err, known.err) {
			return known.cause
		}
	}
	return "invalid token"
}
