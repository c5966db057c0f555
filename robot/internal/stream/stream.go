// Package stream brings the camera's pictures to the viewers. A picture is
// encoded once per codec and packetised once, however many watch:
//
//	camera ─► feed ─┬─► box ─► encoder h264 ─┬─► queue ─► viewer 1
//	                │                        └─► queue ─► viewer 2
//	                └─► box ─► encoder vp8 ────► queue ─► viewer 3
//
// The feed drains the camera always; a box holds one frame, the newest. A
// viewer's queue is short, and a viewer who does not empty it loses frames until
// the next key frame: a slow one hurts nobody else.
//
// The camera runs while somebody holds it ([Stream.Hold]) or an encoder needs
// it, and an encoder while somebody has subscribed to it.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
)

// ErrClosed is returned by everything that is asked of a closed [Stream].
var ErrClosed = errors.New("the stream is closed")

// Settings describe the video.
type Settings struct {
	camera.Format
	BitrateKbps int // the target of each encoder
}

// Stream is one camera and its encoders. Its methods may be called from any
// goroutine.
type Stream struct {
	source   camera.Source
	settings Settings
	log      *slog.Logger
	ctx      context.Context //nolint:containedctx // the life of the stream
	stop     context.CancelFunc
	running  sync.WaitGroup
	skipped  atomic.Uint64 // frames an encoder was too slow for

	mu       sync.Mutex
	closed   bool
	holds    int
	feed     *feed // nil while nobody holds the camera
	previous *feed // the feed before, which may still be closing the camera
	encoders map[encode.Codec]*encoder
	live     int // encoders whose goroutine has not ended
}

// New returns a stream that has not opened the camera.
func New(source camera.Source, settings Settings, log *slog.Logger) *Stream {
	ctx, stop := context.WithCancel(context.Background())
	return &Stream{
		source: source, settings: settings, log: log,
		ctx: ctx, stop: stop,
		encoders: map[encode.Codec]*encoder{},
	}
}

// Hold keeps the camera running, so that it is warm when the viewer who is
// being connected subscribes. The function it returns ends that; it may be
// called more than once.
func (s *Stream) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	s.holdLocked()
	return sync.OnceFunc(s.release)
}

func (s *Stream) holdLocked() {
	s.holds++
	if s.feed == nil {
		s.feed = newFeed(s, s.previous)
		s.running.Go(s.feed.run)
	}
}

func (s *Stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds--; s.holds == 0 {
		s.feed.stop()
		s.previous, s.feed = s.feed, nil
	}
}

// Subscribe adds a viewer of the codec. The encoder starts at once, so that it
// is ready; delivery begins with the first call of [Subscription.Next].
func (s *Stream) Subscribe(codec encode.Codec) (*Subscription, error) {
	if codec != encode.H264 && codec != encode.VP8 {
		return nil, fmt.Errorf("unknown codec %q", codec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	e := s.encoders[codec]
	if e == nil {
		e = s.startLocked(codec)
	}
	sub := newSubscription(e)
	e.subscribers = append(e.subscribers, sub)
	return sub, nil
}

func (s *Stream) startLocked(codec encode.Codec) *encoder {
	s.holdLocked()
	e := newEncoder(s, codec, s.feed)
	s.encoders[codec] = e
	s.live++
	s.running.Go(func() {
		err := e.run()
		s.ended(e, err)
	})
	return e
}

// ended is the last thing an encoder's goroutine does.
func (s *Stream) ended(e *encoder, err error) {
	s.mu.Lock()
	if s.encoders[e.codec] == e {
		delete(s.encoders, e.codec)
	}
	s.live--
	subscribers := e.subscribers
	e.subscribers = nil
	s.mu.Unlock()

	if err != nil {
		s.log.Error("encoder failed", "codec", e.codec, "error", err)
	} else {
		err = ErrClosed
	}
	for _, sub := range subscribers {
		sub.fail(err)
	}
	s.release()
	close(e.done)
}

// unsubscribe removes a viewer, and ends the encoder with its last one.
func (s *Stream) unsubscribe(sub *Subscription) {
	e := sub.encoder
	s.mu.Lock()
	e.subscribers = slices.DeleteFunc(slices.Clone(e.subscribers), func(x *Subscription) bool { return x == sub })
	last := len(e.subscribers) == 0
	if last && s.encoders[e.codec] == e {
		delete(s.encoders, e.codec)
	}
	s.mu.Unlock()
	if last {
		e.stop()
		<-e.done
	}
}

// subscribers returns who gets the encoder's next unit. The slice is not
// changed afterwards.
func (s *Stream) subscribers(e *encoder) []*Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.subscribers
}

// Encoders returns how many encoders run.
func (s *Stream) Encoders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// Skipped returns how many frames were not encoded because an encoder was busy
// with an older one.
func (s *Stream) Skipped() uint64 { return s.skipped.Load() }

// Close ends all subscriptions with [ErrClosed], stops the encoders and the
// camera, and waits for them.
func (s *Stream) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}
