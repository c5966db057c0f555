package limit

import "sync"

// maxRecent is half of the keys a Recent knows.
const maxRecent = 10_000

// Recent is a map of bounded memory, if that of its keys is: a key may be forgotten
// when it was not put in while maxRecent others were. The zero value is empty. Its
// methods may be called from any goroutine.
type Recent[K comparable, V any] struct {
	mu sync.Mutex
	// The young become the old when there are too many, and the old are forgotten:
	// no call takes long.
	young, old map[K]V
}

// Get returns the value of a key, if it is known.
func (r *Recent[K, V]) Get(key K) (value V, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, known = r.young[key]; !known {
		value, known = r.old[key]
	}
	return value, known
}

// Put remembers a value. It is to be called whenever the key is used.
func (r *Recent[K, V]) Put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.young[key]; r.young == nil || !known && len(r.young) == maxRecent {
		r.young, r.old = map[K]V{}, r.young
	}
	r.young[key] = value
}
