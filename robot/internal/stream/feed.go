package stream

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wimz.dev/live/robot/internal/camera"
)

// reopenDelay is the pause before a lost camera is opened again.
const reopenDelay = time.Second

// feed drains the camera and puts each frame into the boxes.
type feed struct {
	stream *Stream
	after  *feed // opened not before this one has closed the camera
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the feed
	done   chan struct{}

	mu    sync.Mutex
	boxes []*box // replaced, never changed
}

func newFeed(s *Stream, after *feed) *feed {
	ctx, stop := context.WithCancel(s.ctx)
	return &feed{stream: s, after: after, ctx: ctx, stop: stop, done: make(chan struct{})}
}

func (f *feed) run() {
	defer close(f.done)
	if f.after != nil {
		<-f.after.done
		f.after = nil
	}
	for f.ctx.Err() == nil {
		err := f.shoot()
		if f.ctx.Err() != nil {
			return
		}
		f.stream.log.WarnContext(f.ctx, "camera lost", "error", err, "retry_in", reopenDelay)
		select {
		case <-time.After(reopenDelay):
		case <-f.ctx.Done():
		}
	}
}

// shoot opens the camera and passes its frames on until it fails or the feed is
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
		f.publish(frame)
	}
	return nil
}

func (f *feed) publish(frame camera.Frame) {
	f.mu.Lock()
	boxes := f.boxes
	f.mu.Unlock()
	shared := &sharedFrame{Frame: frame}
	shared.holders.Store(int32(len(boxes)) + 1) //nolint:gosec // G115: one per codec
	for _, b := range boxes {
		f.stream.skipped.Add(b.put(shared))
	}
	shared.release()
}

func (f *feed) add(b *box) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boxes = append(slices.Clone(f.boxes), b)
}

func (f *feed) remove(b *box) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boxes = slices.DeleteFunc(slices.Clone(f.boxes), func(x *box) bool { return x == b })
}

// sharedFrame is a frame that goes back to the camera when its last holder has
// released it.
type sharedFrame struct {
	camera.Frame
	holders atomic.Int32
}

func (f *sharedFrame) release() {
	if f.holders.Add(-1) == 0 {
		f.Release()
	}
}

// box holds the newest frame for one encoder. It has one writer, the feed.
type box struct{ newest chan *sharedFrame }

func newBox() *box { return &box{make(chan *sharedFrame, 1)} }

// put replaces the frame in the box. It returns how many it took out, 0 or 1.
func (b *box) put(f *sharedFrame) (skipped uint64) {
	select {
	case old := <-b.newest:
		old.release()
		skipped = 1
	default:
	}
	b.newest <- f // there is room: nobody else puts
	return skipped
}
