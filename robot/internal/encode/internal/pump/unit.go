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

func newUnit(home *sync.Pool) *unit {
	u := &unit{}
	u.release = func() {
		if u.lent.CompareAndSwap(true, false) {
			home.Put(u)
		}
	}
	return u
}

func (u *unit) fill(data []byte) {
	u.data = append(u.data[:0], data...)
	u.lent.Store(true)
}

func (e *Encoder) unit() *unit {
	if u, ok := e.units.Get().(*unit); ok {
		return u
	}
	return newUnit(&e.units)
}
