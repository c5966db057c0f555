package pump

import (
	"sync"
	"sync/atomic"
)

// unit is the memory of one access unit. It goes round between the pool and
// the callers of Read, with its release function made only once.
type unit struct {
	data    []byte
	lent    atomic.Bool
	release func()
}

// lend returns a unit with a copy of data.
func lend(home *sync.Pool, data []byte) *unit {
	u, ok := home.Get().(*unit)
	if !ok { // there is none
		u = &unit{}
		u.release = func() {
			if u.lent.CompareAndSwap(true, false) {
				home.Put(u)
			}
		}
	}
	u.data = append(u.data[:0], data...)
	u.lent.Store(true)
	return u
}
