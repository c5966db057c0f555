package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"wimz.dev/live/robot/internal/quality"
)

// queueLen is how many units wait for a viewer: half a second of 15 fps. What
// is older is not worth sending.
const queueLen = 8

// Subscription is one viewer's place in a stream. Its methods may be called
// from any goroutine; Next from one at a time.
type Subscription struct {
	stream  *Stream
	arrived chan struct{} // holds a token when something changed
	kbps    atomic.Int64  // that the viewer can take; 0: not known
	paused  atomic.Bool

	mu      sync.Mutex // locked after stream.mu
	current *encoder   // whose units are delivered
	next    *encoder   // which takes over with its first key frame; nil: none
	started bool       // Next was called
	needKey bool       // nothing before the next key frame can be decoded
	queue   []Unit
	last    time.Time // of the unit queued last
	dropped uint64
	err     error // why there will be no more
}

func newSubscription(s *Stream) *Subscription {
	return &Subscription{stream: s, arrived: make(chan struct{}, 1), queue: make([]Unit, 0, queueLen)}
}

// Next waits for the next unit. The first call asks for a key frame, and what
// it returns is one. An error is the end: ErrClosed, or what broke the encoder,
// or the cause of ctx.
func (s *Subscription) Next(ctx context.Context) (Unit, error) {
	s.start()
	for {
		u, ok, err := s.take(time.Now())
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

// take returns the oldest unit. If it is stale, so is all that rests on it.
func (s *Subscription) take(now time.Time) (u Unit, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.queue) == 0 {
		return Unit{}, false, s.err
	}
	u = s.queue[0]
	if now.Sub(u.Captured) > staleAge {
		s.dropped += uint64(len(s.queue))
		s.queue, s.needKey = s.queue[:0], true
		s.current.keys.request()
		return Unit{}, false, nil
	}
	s.queue = append(s.queue[:0], s.queue[1:]...)
	return u, true, nil
}

// push is called by an encoder with every unit. It never waits.
func (s *Subscription) push(e *encoder, u Unit) {
	resting := s.paused.Load() && !e.paused() // others go on
	s.mu.Lock()
	left := s.turnLocked(e, u)
	switch {
	case !s.started || e != s.current:
	case resting:
		s.dropped++
		s.needKey = true
	case s.queueLocked(u):
		s.current.keys.request()
	}
	s.mu.Unlock()
	if left != nil {
		s.leave(left)
	}
	s.wake()
}

// turnLocked goes over to the next encoder with its first key frame, and returns
// the one before.
func (s *Subscription) turnLocked(e *encoder, u Unit) (left *encoder) {
	if e != s.next || !u.Key {
		return nil
	}
	left = s.current
	s.current, s.next = e, nil
	return left
}

// queueLocked queues a unit or drops it. It reports whether the viewer has lost
// the thread just now and needs a key frame. Times only grow: if both encoders
// were given a picture, the key frame of the next one shows it a second time;
// and a frame may have been taken before the placeholder that it replaces.
func (s *Subscription) queueLocked(u Unit) (lost bool) {
	u.Captured = later(u.Captured, s.last)
	switch {
	case s.needKey && !u.Key:
		s.dropped++
		return false
	case len(s.queue) < queueLen:
		s.needKey = false
	case u.Key:
		s.dropped += queueLen
		s.queue = s.queue[:0]
	default:
		s.dropped += queueLen + 1
		s.queue = s.queue[:0]
		s.needKey = true
		return true
	}
	s.queue = append(s.queue, u)
	s.last = u.Captured
	return false
}

// Move takes the viewer to another rendition, with its next key frame and without
// a gap: until then the old one goes on. It may be called again at any time.
func (s *Subscription) Move(r Rendition) error {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.stream.possible(r); s.next != nil && s.next.rendition == r {
		return nil
	}
	if s.next != nil {
		s.stream.leaveLocked(s.next, s)
		s.next = nil
	}
	if s.err != nil || s.current.rendition == r {
		return s.err
	}
	next, err := s.stream.joinLocked(r, s)
	if err != nil {
		return err
	}
	if !s.started {
		s.stream.leaveLocked(s.current, s)
		s.current = next
		return nil
	}
	s.next = next
	next.keys.request()
	return nil
}

// Rendition returns what is delivered now.
func (s *Subscription) Rendition() Rendition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.rendition
}

// SetBitrate says what the viewer can take, in kilobits a second.
func (s *Subscription) SetBitrate(kbps int) { s.kbps.Store(int64(kbps)) }

// Bitrate returns what was set, 0 if nothing was.
func (s *Subscription) Bitrate() int { return int(s.kbps.Load()) }

// Pause says whether the viewer's link needs a rest: nothing comes meanwhile. A
// rendition all of whose viewers pause is not encoded, and goes on where it was;
// who pauses alone goes on with a key frame.
func (s *Subscription) Pause(on bool) {
	if s.paused.Swap(on) == on || on {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.needKey {
		s.current.keys.request()
	}
}

// Others returns the most that another viewer can take of those who watch the
// same in a tier, in kilobits a second, and 0 if there is none.
func (s *Subscription) Others(t quality.Tier) (kbps int) {
	r := s.Rendition()
	r.Tier = t
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	e := s.stream.encoders[r]
	if e == nil {
		return 0
	}
	for _, other := range e.subscribers {
		if other != s {
			kbps = max(kbps, other.Bitrate())
		}
	}
	return kbps
}

// RequestKeyFrame asks the encoder for a key frame. All its viewers get it.
func (s *Subscription) RequestKeyFrame() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.keys.request()
}

// Dropped returns how many units the viewer missed since its first Next,
// because it was too slow or waited for a key frame.
func (s *Subscription) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close leaves the stream, and ends a Next that waits. With the last viewer of a
// rendition its encoder ends, before Close returns.
func (s *Subscription) Close() {
	s.stream.mu.Lock()
	s.mu.Lock()
	left := []*encoder{s.current}
	if s.next != nil {
		left = append(left, s.next)
	}
	s.failLocked(ErrClosed)
	s.mu.Unlock()
	var ending []*encoder
	for _, e := range left {
		s.stream.leaveLocked(e, s)
		if len(e.subscribers) == 0 {
			ending = append(ending, e)
		}
	}
	s.stream.mu.Unlock()
	for _, e := range ending {
		<-e.done
	}
}

// leave leaves an encoder that was gone over from.
func (s *Subscription) leave(e *encoder) {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	s.stream.leaveLocked(e, s)
}

// lose says that an encoder has ended. If it is only the next one the viewer
// stays where it is.
func (s *Subscription) lose(e *encoder, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e {
	case s.current:
		s.failLocked(err)
	case s.next:
		s.next = nil
	}
}

func (s *Subscription) failLocked(err error) {
	if s.err == nil {
		s.err = err
	}
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// later returns a time, but at least a millisecond after another one.
func later(t, than time.Time) time.Time {
	if least := than.Add(time.Millisecond); t.Before(least) {
		return least
	}
	return t
}
