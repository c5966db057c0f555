// Package limit bounds how often somebody may do something.
package limit

import (
	"sync"

	"golang.org/x/time/rate"
)

// Keyed is one token bucket per key. Its methods may be called from any goroutine.
// Its memory is bounded, to about 4 MB, if the length of its keys is: a key that
// is forgotten has its whole burst again, which errs for the users.
type Keyed struct {
	rate Rate

	mu      sync.Mutex
	buckets Recent[string, *rate.Limiter]
}

// NewKeyed allows each key what the rate says.
func NewKeyed(r Rate) *Keyed {
	return &Keyed{rate: r}
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
	bucket, known := k.buckets.Get(key)
	if !known {
		bucket = k.rate.Limiter()
	}
	k.buckets.Put(key, bucket)
	return bucket
}
