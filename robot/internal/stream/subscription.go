package stream

import (
	"context"
	"sync"
)

// queueLen is how many units wait for a viewer: half a second of 15 fps. What
// is older is not worth sending.
const queueLen = 8

// Subscription is one viewer's place in a stream. Its methods may be called
// from any goroutine; Next from one at a time.
type Subscription struct {
	encoder *encoder
	arrived chan struct{} // holds a token when something changed
	leave   func()

	mu      sync.Mutex
	started bool // Next was called
	needKey bool // nothing before the next key frame can be decoded
	queue   []Unit
	dropped uint64
	err     error // why there will be no more
}

func newSubscription(e *encoder) *Subscription {
	s := &Subscription{encoder: e, arrived: make(chan struct{}, 1), queue: make([]Unit, 0, queueLen)}
	s.leave = sync.OnceFunc(func() { e.stream.unsubscribe(s) })
	return s
}

// Next waits for the next unit. The first call asks for a key frame, and what
// it returns is one. An error is the end: ErrClosed, or what broke the encoder,
// or the cause of ctx.
func (s *Subscription) Next(ctx context.Context) (Unit, error) {
	s.start()
	for {
		u, ok, err := s.take()
		if ok || err != nil {
			return u, err
		}
		select {
		case <-s.arrived:
		case <-ctx.Done():
			return Unit{}, context.Cause(ctx)
		}
	}
}

func (s *Subscription) start() {
	s.mu.Lock()
	first := !s.started
	if first {
		s.started, s.needKey = true, true
	}
	s.mu.Unlock()
	if first {
		s.RequestKeyFrame()
	}
}

func (s *Subscription) take() (u Unit, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.queue) == 0 {
		return Unit{}, false, s.err
	}
	u = s.queue[0]
	s.queue = append(s.queue[:0], s.queue[1:]...)
	return u, true, nil
}

// push is called by the encoder with every unit. It never waits.
func (s *Subscription) push(u Unit) {
	s.mu.Lock()
	lost := s.acceptLocked(u)
	s.mu.Unlock()
	if lost {
		s.RequestKeyFrame()
	}
	s.wake()
}

// acceptLocked queues a unit or drops it. It reports whether the viewer has
// lost the thread just now and needs a key frame.
func (s *Subscription) acceptLocked(u Unit) (lost bool) {
	switch {
	case !s.started:
	case s.needKey && !u.Key:
		s.dropped++
	case len(s.queue) < queueLen:
		s.queue = append(s.queue, u)
		s.needKey = false
	case u.Key:
		s.dropped += queueLen
		s.queue = append(s.queue[:0], u)
	default:
		s.dropped += queueLen + 1
		s.queue = s.queue[:0]
		s.needKey = true
		return true
	}
	return false
}

// RequestKeyFrame asks the encoder for a key frame. All viewers get it.
func (s *Subscription) RequestKeyFrame() { s.encoder.keys.request() }

// Dropped returns how many units the viewer missed since its first Next,
// because it was too slow or waited for a key frame.
func (s *Subscription) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close leaves the stream, and ends a Next that waits. With the last
// subscriber of a codec its encoder ends, before Close returns.
func (s *Subscription) Close() {
	s.fail(ErrClosed)
	s.leave()
}

func (s *Subscription) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}
