package httpapi

import (
	"net/http"
	"strings"
	"sync"

	"wimz.dev/live/relay/internal/auth"
)

// guesser is somebody who tries a password: an account, and where they are.
type guesser struct{ account, network string }

// accountKey is what one account is limited by, in every way of writing its
// address. It is bounded: the limiter keeps it, and anybody may send anything.
func accountKey(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return email[:min(len(email), auth.MaxEmail)]
}

// mayTry takes one of the tries that there are for a password, or answers and
// reports false. Guessing is slow for one who has a single address (byAddress),
// and for many together who are after one account (byAccount).
//
// Nobody can lock the owner out for long with that: a stranger has few tries with
// an account from one place (byGuesser), fewer than would use up those of all
// strangers together, and tries that are refused use up nothing. Where the account
// has been logged in to before, it has tries of its own, which strangers elsewhere
// cannot use up however many they are. And who is logged in already is asked for no
// password.
func (a *API) mayTry(w http.ResponseWriter, g guesser) bool {
	place := g.network + " " + g.account
	key, known := "anywhere "+g.account, a.familiar.has(g)
	if known {
		key = place
	}
	switch {
	case !a.byAddress.Allow(g.network):
		tooMany(w, a.byAddress.RetryAfter())
	case !known && !a.byGuesser.Allow(place):
		tooMany(w, a.byGuesser.RetryAfter())
	case !a.byAccount.Allow(key):
		tooMany(w, a.byAccount.RetryAfter())
	default:
		return true
	}
	return false
}

// maxFamiliar is half of the places that are remembered; one takes up to 400 bytes.
const maxFamiliar = 10_000

// familiar remembers from where accounts were logged in to lately. Its methods may
// be called from any goroutine.
type familiar struct {
	mu sync.Mutex
	// The young become the old when there are too many, and the old are forgotten.
	young, old map[guesser]struct{}
}

func (f *familiar) has(g guesser) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, young := f.young[g]
	_, old := f.old[g]
	return young || old
}

func (f *familiar) add(g guesser) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.young == nil || len(f.young) >= maxFamiliar {
		f.young, f.old = map[guesser]struct{}{}, f.young
	}
	f.young[g] = struct{}{}
}
