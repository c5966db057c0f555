// Package stream brings the camera's pictures to the viewers. A picture is drawn
// on once, scaled once for each size that is wanted, encoded once for each
// rendition and packetised once, however many watch:
//
//	camera ─► feed ─► studio ─┬─► box ─► encoder h264 high ─┬─► queue ─► viewer 1
//	                          │                             └─► queue ─► viewer 2
//	                          └─► box ─► encoder vp8 low ─────► queue ─► viewer 3
//
// The feed drains the camera always; a box holds one picture, the newest. A
// viewer's queue is short, and a viewer who does not empty it loses frames until
// the next key frame: a slow one hurts nobody else. No frame is sent as live that
// is older than half a second: while there is no younger one a placeholder is.
//
// The camera runs while somebody holds it ([Stream.Hold]) or an encoder needs it,
// and for a while after that; an encoder runs while somebody watches its
// rendition.
package stream

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/figures"
	"wimz.dev/live/robot/internal/quality"
)

// ErrClosed is returned by everything that is asked of a closed [Stream].
var ErrClosed = errors.New("the stream is closed")

// Settings describe the video.
type Settings struct {
	camera.Format
	BitrateKbps int // the target of the largest rendition; the others follow from it
	// Counters count the pictures; nil counts them for nobody.
	Counters *figures.Counters
	// Painter draws the overlay and the placeholders. Without one there is no
	// overlay, and placeholders are dark.
	Painter Painter
	// Linger is how long the camera goes on after the last viewer.
	Linger time.Duration
	// OnCamera, if not nil, is called with each change of the camera's state,
	// one at a time. A camera that nobody has looked through yet is taken to be
	// in order. It must not wait.
	OnCamera func(CameraStatus)
}

// Rendition is one way in which the video is encoded.
type Rendition struct {
	Codec   encode.Codec
	Tier    quality.Tier
	Overlay bool // with what the painter draws
}

// Stream is one camera and its encoders. Its methods may be called from any
// goroutine.
type Stream struct {
	source   camera.Source
	settings Settings
	ladder   quality.Ladder
	studio   *studio
	log      *slog.Logger
	ctx      context.Context //nolint:containedctx // the life of the stream
	stop     context.CancelFunc
	running  sync.WaitGroup
	skipped  atomic.Uint64 // frames an encoder was too slow for

	mu       sync.Mutex
	closed   bool
	camera   CameraStatus
	holds    int
	feed     *feed       // nil while the camera does not run
	linger   *time.Timer // stops the feed that nobody holds; nil while somebody does
	previous *feed       // the feed before, which may still be closing the camera
	encoders map[Rendition]*encoder
	live     int // encoders whose goroutine has not ended
}

// New returns a stream that has not opened the camera.
func New(source camera.Source, settings Settings, log *slog.Logger) *Stream {
	if settings.Counters == nil {
		settings.Counters = &figures.Counters{}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Stream{
		source: source, settings: settings, log: log,
		ladder: quality.NewLadder(image.Pt(settings.Width, settings.Height), settings.BitrateKbps),
		ctx:    ctx, stop: stop, camera: CameraStatus{State: CameraOK},
		encoders: map[Rendition]*encoder{},
	}
	var painter Painter = darkroom{}
	if settings.Painter != nil {
		painter = settings.Painter
	}
	s.studio = newStudio(painter, s.ladder)
	return s
}

// Ladder returns what the tiers stand for.
func (s *Stream) Ladder() quality.Ladder { return s.ladder }

// Camera returns the camera's state, as far as is known.
func (s *Stream) Camera() CameraStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.camera
}

// cameraIs notes the camera's state. The feed that runs calls it, from one
// goroutine.
func (s *Stream) cameraIs(status CameraStatus) {
	s.mu.Lock()
	changed := s.camera.State != status.State
	s.camera = status
	s.mu.Unlock()
	if changed && s.settings.OnCamera != nil {
		s.settings.OnCamera(status)
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
	if s.linger != nil {
		s.linger.Stop()
		s.linger = nil
	}
	if s.feed == nil {
		s.feed = newFeed(s, s.previous)
		s.running.Go(s.feed.run)
	}
}

func (s *Stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds--; s.holds > 0 {
		return
	}
	if s.settings.Linger <= 0 || s.closed {
		s.closeCameraLocked()
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(s.settings.Linger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.linger == mine {
			s.closeCameraLocked()
		}
	})
	s.linger = mine
}

func (s *Stream) closeCameraLocked() {
	s.feed.stop()
	s.previous, s.feed, s.linger = s.feed, nil, nil
}

// Subscribe adds a viewer of a rendition. The encoder starts at once, so that it
// is ready; delivery begins with the first call of [Subscription.Next].
func (s *Stream) Subscribe(r Rendition) (*Subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := newSubscription(s)
	var err error
	sub.current, err = s.joinLocked(r, sub)
	return sub, err
}

// possible is the rendition that comes nearest: without a painter there is no
// overlay.
func (s *Stream) possible(r Rendition) Rendition {
	r.Overlay = r.Overlay && s.settings.Painter != nil
	return r
}

// joinLocked makes a viewer one of a rendition's, whose encoder starts if he is
// the first.
func (s *Stream) joinLocked(r Rendition, sub *Subscription) (*encoder, error) {
	if r.Codec != encode.H264 && r.Codec != encode.VP8 {
		return nil, fmt.Errorf("unknown codec %q", r.Codec)
	}
	if s.closed {
		return nil, ErrClosed
	}
	r = s.possible(r)
	e := s.encoders[r]
	if e == nil {
		e = s.startLocked(r)
	}
	e.subscribers = append(slices.Clone(e.subscribers), sub)
	return e, nil
}

func (s *Stream) startLocked(r Rendition) *encoder {
	s.holdLocked()
	e := newEncoder(s, r)
	s.encoders[r] = e
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
	if s.encoders[e.rendition] == e {
		delete(s.encoders, e.rendition)
	}
	s.live--
	subscribers := e.subscribers
	e.subscribers = nil
	s.mu.Unlock()

	if err != nil {
		s.log.Error("encoder failed", "rendition", e.rendition, "error", err)
	} else {
		err = ErrClosed
	}
	for _, sub := range subscribers {
		sub.lose(e, err)
	}
	s.release()
	close(e.done)
}

// leaveLocked removes a viewer from a rendition, whose encoder is stopped with
// the last one.
func (s *Stream) leaveLocked(e *encoder, sub *Subscription) {
	e.subscribers = slices.DeleteFunc(slices.Clone(e.subscribers), func(x *Subscription) bool { return x == sub })
	if len(e.subscribers) > 0 {
		return
	}
	if s.encoders[e.rendition] == e {
		delete(s.encoders, e.rendition)
	}
	e.stop()
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

// Sent is told of each unit that has left for a viewer.
func (s *Stream) Sent() { s.settings.Counters.Sent.Add(1) }

// Close ends all subscriptions with [ErrClosed], stops the encoders and the
// camera, and waits for them.
func (s *Stream) Close() {
	s.mu.Lock()
	s.closed = true
	if s.linger != nil {
		s.linger.Stop()
		s.linger = nil
	}
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}
