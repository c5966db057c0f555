// Package limit bounds how often somebody may do something.
package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds the memory of a Keyed limiter: about 100 bytes a key.
const maxKeys = 10_000

// Keyed is one token bucket per key. Its methods may be called from any
// goroutine.
type Keyed struct {
	every time.Duration
	burst int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewKeyed allows each key burst actions at once and one more every interval.
func NewKeyed(every time.Duration, burst int) *Keyed {
	return &Keyed{every: every, burst: burst, buckets: map[string]*rate.Limiter{}}
}

// Allow takes a token of the key and reports whether there was one.
func (k *Keyed) Allow(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	bucket := k.buckets[key]
	if bucket == nil {
		k.sweep()
		bucket = rate.NewLimiter(rate.Every(k.every), k.burst)
		k.buckets[key] = bucket
	}
	return bucket.Allow()
}

// RetryAfter returns how long a refused key has to wait, in whole seconds as
// HTTP and the wire say it; at least one.
func (k *Keyed) RetryAfter() int {
	return max(1, int((k.every+time.Second-1)/time.Second))
}

// sweep makes room: full buckets say nothing and are forgotten first. If every
// key is busy all are forgotten, which errs for the users.
func (k *Keyed) sweep() {
	if len(k.buckets) < maxKeys {
		return
	}
	for key, bucket := range k.buckets {
		if bucket.Tokens() >= float64(k.burst) {
			delete(k.buckets, key)
		}
	}
	if len(k.buckets) >= maxKeys {
		clear(k.buckets)
	}
}
