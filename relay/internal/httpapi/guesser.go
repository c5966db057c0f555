package httpapi

import (
	"net/http"
	"strings"

	"wimz.dev/live/relay/internal/auth"
)

// guesser is somebody who tries a password: an account, by its address or, if they
// have a token of it, by its identifier; and where they are.
type guesser struct{ account, network string }

// accountKey is what one account is limited by, in every way of writing its
// address. It is bounded, and no part of what was sent, which may be long: it is
// kept.
func accountKey(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return strings.Clone(email[:min(len(email), auth.MaxEmail)])
}

// mayTry takes one of the tries that there are for a password, or answers and
// reports false. Guessing is slow for one who has a single address (byAddress),
// and for many together who are after one account (byAccount).
//
// Nobody can lock the owner out for long with that: a stranger has few tries with
// an account from one place (byGuesser), fewer than would use up those of all
// strangers together, and tries that are refused use up nothing. Where the account
// has been logged in to before, it has tries of its own, which strangers elsewhere
// cannot use up however many they are. And who is logged in already is asked for a
// password only to change it, and has tries of their own for that.
func (a *API) mayTry(w http.ResponseWriter, g guesser) bool {
	place := g.network + " " + g.account
	key := "anywhere " + g.account
	_, known := a.familiar.Get(g)
	if known {
		key = place
	}
	return allow(w, a.byAddress, g.network) &&
		(known || allow(w, a.byGuesser, place)) &&
		allow(w, a.byAccount, key)
}
