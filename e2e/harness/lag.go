package harness

import (
	"sync"
	"time"
)

// Lag watches how busy this machine is: for how long a program that has something to
// do waits for the processor. What specs measure of pictures is measured beside it.
type Lag struct {
	end     chan struct{}
	watcher sync.WaitGroup

	mu      sync.Mutex
	longest time.Duration // guarded by mu
}

// WatchLag begins to watch. The caller calls [Lag.Stop].
func WatchLag() *Lag {
	l := &Lag{end: make(chan struct{})}
	l.watcher.Go(l.watch)
	return l
}

func (l *Lag) watch() {
	const interval = 10 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ticker.C:
		case <-l.end:
			return
		}
		now := time.Now()
		l.mu.Lock()
		l.longest = max(l.longest, now.Sub(last)-interval)
		l.mu.Unlock()
		last = now
	}
}

// Longest is the longest wait so far.
func (l *Lag) Longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest
}

// Allow is what a limit for pictures becomes on a machine as busy as this one was: on
// its way a picture passes through some five programs' hands.
func (l *Lag) Allow(limit time.Duration) time.Duration { return limit + 5*l.Longest() }

// Stop ends it, and waits.
func (l *Lag) Stop() {
	close(l.end)
	l.watcher.Wait()
}
