// Package turnrest makes and reads the credentials of the TURN REST scheme
// (draft-uberti-behave-turn-rest-00) in the form coturn, pion/turn and others
// share: whoever knows the secret can check a credential, and nobody has to
// store one.
package turnrest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the draft fixes HMAC-SHA1
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrMalformed is returned for a username that is not "<unix time>:<id>".
var ErrMalformed = errors.New("malformed TURN REST username")

// Username names a credential that ends at expiry; the id makes it unique. A
// fraction of a second is rounded up, so that a credential never ends early.
func Username(expiry time.Time, id string) string {
	seconds := expiry.Add(time.Second - time.Nanosecond).Unix()
	return strconv.FormatInt(seconds, 10) + ":" + id
}

// Password is the credential that belongs to a username.
func Password(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Expiry reads the time a username carries; the credential is good before it
// and no longer good at it.
func Expiry(username string) (time.Time, error) {
	stamp, _, found := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !found || err != nil {
		return time.Time{}, ErrMalformed
	}
	return time.Unix(seconds, 0), nil
}
