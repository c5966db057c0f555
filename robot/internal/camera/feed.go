package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/localsocket"
)

// feedSilence is how long a sender may send no picture.
const feedSilence = 2 * time.Second

// errReplaced is what the sender hears whose place another one takes.
var errReplaced = errors.New("a newer sender has connected")

// feed is a camera whose pictures another program sends: see
// robot/camera/feed/README.md. It listens while it is served; while it is not open
// the pictures are thrown away, and detections go to the board all the same.
type feed struct {
	socket  string
	silence time.Duration // how long the sender may send no picture
	board   *detect.Board
	log     *slog.Logger

	mu      sync.Mutex
	sender  *sender     // nil while there is none
	reader  *feedReader // nil while the camera is not open
	refused error       // what was wrong with the last sender, nil if nothing was
}

// serve implements [server]. It returns nil when ctx ends.
func (s *feed) serve(ctx context.Context, f Format) error {
	listener, err := localsocket.Listen(ctx, s.socket)
	if err != nil {
		return fmt.Errorf("listen for the camera's pictures: %w; see camera.feed.socket", err)
	}
	pictures := newRing(image.Pt(f.Width, f.Height))
	var senders sync.WaitGroup
	localsocket.Serve(ctx, listener, s.log, func(conn *net.UnixConn) {
		next := newSender(s, conn, f, pictures)
		s.replace(next)
		senders.Go(func() { s.receive(ctx, next) })
	})
	senders.Wait()
	return nil
}

// replace makes a sender the one whose pictures count.
func (s *feed) replace(next *sender) {
	s.mu.Lock()
	before := s.sender
	s.sender = next
	s.mu.Unlock()
	if before != nil {
		before.end(errReplaced)
	}
}

// receive takes a sender's messages until it is gone, and hangs up.
func (s *feed) receive(ctx context.Context, from *sender) {
	defer context.AfterFunc(ctx, func() { from.end(nil) })()
	s.log.InfoContext(ctx, "sender of pictures connected")
	err := from.run()
	s.mu.Lock()
	if s.sender == from {
		s.sender = nil
		s.refused = nil
		if r, ok := errors.AsType[*refusal](err); ok {
			s.refused = r
		}
	}
	s.mu.Unlock()
	_ = from.conn.Close() // it is given up
	s.log.InfoContext(ctx, "sender of pictures disconnected", "error", err)
}

// isOpen reports whether anybody wants a sender's pictures.
func (s *feed) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reader != nil
}

// show passes a picture on.
func (s *feed) show(p *timedPicture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader == nil {
		p.release()
		return
	}
	s.reader.newest.put(p) // under the lock: it takes one writer at a time
}

// Open implements [Source].
func (s *feed) Open(ctx context.Context, _ Format) (Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader != nil {
		return nil, errors.New("the feed is open already")
	}
	s.reader = &feedReader{feed: s, newest: newNewest(), closed: make(chan struct{}), silence: time.NewTimer(s.silence)}
	return s.reader, nil
}

// silent says why there are no pictures.
func (s *feed) silent() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sender != nil:
		return fmt.Errorf("the program at %s sends no pictures", s.socket)
	case s.refused != nil:
		return fmt.Errorf("the program at %s was refused: %w", s.socket, s.refused)
	default:
		return fmt.Errorf("no program sends pictures to %s: start it (robot/camera/feed/README.md says how one is written)", s.socket)
	}
}

// feedReader is an open feed.
type feedReader struct {
	feed    *feed
	newest  newest
	closed  chan struct{}
	silence *time.Timer // since the last picture
}

// Read implements [Reader].
func (r *feedReader) Read() (Frame, error) {
	select {
	case p := <-r.newest:
		r.silence.Reset(r.feed.silence)
		return Frame{Image: &p.YCbCr, Captured: p.captured, Release: p.release}, nil
	case <-r.closed:
		return Frame{}, io.EOF
	case <-r.silence.C:
		return Frame{}, r.feed.silent()
	}
}

// Close implements [Reader].
func (r *feedReader) Close() error {
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	if r.feed.reader == r {
		r.feed.reader = nil
		close(r.closed)
		r.silence.Stop()
	}
	return nil
}
