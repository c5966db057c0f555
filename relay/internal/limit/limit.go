// Package limit bounds how often somebody may do something.
package limit

import (
	"sync"

	"golang.org/x/time/rate"
)

// maxKeys is half of the keys a Keyed limiter knows: it bounds its memory to
// about 4 MB. To be forgotten, a key must not be used while maxKeys others are;
// it then has its whole burst again, which errs for the users.
const maxKeys = 10_000

// Keyed is one token bucket per key. Its methods may be called from any
// goroutine. Its memory is bounded if the length of its keys is.
type Keyed struct {
	rate Rate

	mu sync.Mutex
	// Keys move to the young when they are used. When those are too many they
	// become the old, and the old are forgotten: no call takes long.
	young, old map[string]*rate.Limiter
}

// NewKeyed allows each key what the rate says.
func NewKeyed(r Rate) *Keyed {
	return &Keyed{rate: r, young: map[string]*rate.Limiter{}}
}

// Allow takes a token of the key and reports whether there was one.
func (k *Keyed) Allow(key string) bool {
	if k.rate == (Rate{}) {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bucket(key).Allow()
}

// RetryAfter is [Rate.RetryAfter].
func (k *Keyed) RetryAfter() int { return k.rate.RetryAfter() }

func (k *Keyed) bucket(key string) *rate.Limiter {
	bucket, known := k.young[key]
	if known {
		return bucket
	}
	if bucket, known = k.old[key]; !known {
		bucket = k.rate.Limiter()
	}
	if len(k.young) == maxKeys {
		k.young, k.old = map[string]*rate.Limiter{}, k.young
	}
	k.young[key] = bucket
	return bucket
}
