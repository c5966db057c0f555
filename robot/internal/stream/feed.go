package stream

import (
	"context"
	"time"

	"wimz.dev/live/robot/internal/camera"
)

const (
	// staleAge is how old a picture may be to be sent as live (CONTRACT §6).
	staleAge = 500 * time.Millisecond
	// standInterval is the time between two placeholders.
	standInterval = 250 * time.Millisecond
	// reopenDelay is the pause before a lost camera is opened again.
	reopenDelay = time.Second
)

// CameraState is what there is to see.
type CameraState string

// The states of a camera, as apps are told them.
const (
	CameraOK        CameraState = "ok"        // pictures come
	CameraBuffering CameraState = "buffering" // it is open, or opening, and none come
	CameraLost      CameraState = "lost"      // it failed; it is opened again and again
)

// CameraStatus is a camera's state, with words about it for people.
type CameraStatus struct {
	State  CameraState `json:"status"`
	Detail string      `json:"detail"` // empty when there is nothing to say
}

// feed is one time that the camera runs: one goroutine drains it always and
// keeps the newest frame, another shows that to the encoders, or a placeholder
// while there is none.
type feed struct {
	stream *Stream
	after  *feed // opened not before this one has closed the camera
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the feed
	done   chan struct{}

	newest chan camera.Frame // one at most
	lost   chan error        // why the camera failed

	// Owned by the goroutine that shows.
	seen     time.Time // when the last frame was, zero before the first
	captured time.Time // when the last frame was taken
}

func newFeed(s *Stream, after *feed) *feed {
	ctx, stop := context.WithCancel(s.ctx)
	return &feed{
		stream: s, after: after, ctx: ctx, stop: stop, done: make(chan struct{}),
		newest: make(chan camera.Frame, 1), lost: make(chan error, 1),
	}
}

// run shows what there is to see until the feed is stopped.
func (f *feed) run() {
	defer close(f.done)
	if f.after != nil {
		<-f.after.done
		f.after = nil
	}
	shot := make(chan struct{})
	go func() {
		defer close(shot)
		f.keepShooting()
	}()
	f.show()
	<-shot
	select {
	case frame := <-f.newest:
		frame.Release()
	default:
	}
}

func (f *feed) keepShooting() {
	for f.ctx.Err() == nil {
		err := f.shoot()
		if f.ctx.Err() != nil {
			return
		}
		f.stream.log.WarnContext(f.ctx, "camera lost", "error", err, "retry_in", reopenDelay)
		select {
		case f.lost <- err:
		default:
		}
		select {
		case <-time.After(reopenDelay):
		case <-f.ctx.Done():
		}
	}
}

// shoot opens the camera and keeps its newest frame until it fails or the feed is
// stopped.
func (f *feed) shoot() error {
	reader, err := f.stream.source.Open(f.ctx, f.stream.settings.Format)
	if err != nil {
		return err
	}
	defer reader.Close() //nolint:errcheck // it is given up
	defer context.AfterFunc(f.ctx, func() { _ = reader.Close() })()
	for f.ctx.Err() == nil {
		frame, err := reader.Read()
		if err != nil {
			return err
		}
		f.stream.settings.Counters.Captured.Add(1)
		f.keep(frame)
	}
	return nil
}

func (f *feed) keep(frame camera.Frame) {
	select {
	case old := <-f.newest:
		old.Release()
		f.stream.skipped.Add(1)
	default:
	}
	f.newest <- frame // there is room: nobody else puts
}

// show shows each frame as it comes. When none has come for a while it shows
// placeholders, at a low rate.
func (f *feed) show() {
	missing := time.NewTimer(staleAge)
	defer missing.Stop()
	for {
		select {
		case frame := <-f.newest:
			if f.live(frame, time.Now()) {
				missing.Reset(staleAge)
			}
		case err := <-f.lost:
			f.stream.cameraIs(CameraStatus{CameraLost, err.Error()})
		case <-missing.C:
			select {
			case frame := <-f.newest: // it was only this goroutine that was late
				if f.live(frame, time.Now()) {
					missing.Reset(staleAge)
					continue
				}
			default:
			}
			f.stand(time.Now())
			missing.Reset(standInterval)
		case <-f.ctx.Done():
			return
		}
	}
}

// live shows a frame, unless it is too old or out of order.
func (f *feed) live(frame camera.Frame, now time.Time) bool {
	if now.Sub(frame.Captured) > staleAge || !frame.Captured.After(f.captured) {
		frame.Release()
		return false
	}
	f.captured, f.seen = frame.Captured, now
	f.stream.cameraIs(CameraStatus{State: CameraOK})
	f.stream.skipped.Add(f.stream.studio.show(frame))
	return true
}

// stand shows a placeholder.
func (f *feed) stand(now time.Time) {
	words := "No camera feed"
	if f.stream.Camera().State != CameraLost {
		f.stream.cameraIs(CameraStatus{CameraBuffering, "the camera gives no pictures"})
		words = "Buffering…"
	}
	since := time.Duration(-1)
	if !f.seen.IsZero() {
		since = now.Sub(f.seen)
	}
	f.stream.skipped.Add(f.stream.studio.stand(words, since, now))
}
