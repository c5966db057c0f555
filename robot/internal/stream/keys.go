package stream

import (
	"sync"
	"time"
)

// keyInterval is the least time between two key frames: a key frame costs as
// much as several others, and one serves all who asked.
const keyInterval = 120 * time.Millisecond

// keyLimiter joins requests for key frames. A request that comes too early
// waits; none is lost. The zero value is ready.
type keyLimiter struct {
	mu     sync.Mutex
	wanted bool
	last   time.Time
}

// request asks for a key frame.
func (k *keyLimiter) request() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = true
}

// take reports whether the frame that is about to be encoded is to be a key
// frame.
func (k *keyLimiter) take(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.wanted || now.Sub(k.last) < keyInterval {
		return false
	}
	k.wanted, k.last = false, now
	return true
}

// made says that a key frame came out, asked for or not; nobody has it yet.
func (k *keyLimiter) made(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted, k.last = false, now
}
