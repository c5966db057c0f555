package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"wimz.dev/live/robot/internal/camera/internal/feedwire"
	"wimz.dev/live/robot/internal/camera/internal/i420"
	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/localsocket"
)

// messageTime is how long the rest of a message may take after its header.
const messageTime = 5 * time.Second

// refusal is what is wrong with a sender for good.
type refusal struct{ error }

// sender is a program that is connected to a [feed]. What it says is read by one
// goroutine.
type sender struct {
	feed     *feed
	conn     net.Conn
	format   Format
	pictures *ring
	pace     pace
	life     context.Context //nolint:containedctx // the life of the connection, with the cause of its end
	end      context.CancelCauseFunc

	header     [feedwire.HeaderLen]byte
	detections []byte // read into, again and again
	bgr        []byte // likewise
}

func newSender(f *feed, conn net.Conn, format Format, pictures *ring) *sender {
	s := &sender{feed: f, conn: conn, format: format, pictures: pictures, pace: newPace(format.FPS)}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s
}

// run reads messages until the sender goes, is wrong or is ended.
func (s *sender) run() error {
	defer context.AfterFunc(s.life, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })() // wakes the reader
	err := s.answer(map[string]any{"version": 1, "width": s.format.Width, "height": s.format.Height, "fps": s.format.FPS})
	for err == nil {
		err = s.receive()
	}
	defer s.end(nil)
	switch cause := context.Cause(s.life); {
	case errors.Is(cause, errReplaced):
		err = &refusal{cause}
	case cause != nil: // the robot ends
		return nil
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		_ = s.answer(map[string]any{"error": r.Error(), "fatal": true}) // it is given up
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// answer sends the sender a line.
func (s *sender) answer(words map[string]any) error { return localsocket.Reply(s.conn, words) }

// receive takes one message.
func (s *sender) receive() error {
	if err := s.await(0, s.header[:]); err != nil { // it may come at any time
		return err
	}
	h, err := feedwire.Parse(&s.header, image.Pt(s.format.Width, s.format.Height), detect.MaxLine)
	if err != nil {
		return &refusal{err}
	}
	captured, err := taken(h)
	if err != nil {
		return err
	}
	if err = s.takeDetections(h, captured); err != nil {
		return err
	}
	return s.takePicture(h, captured)
}

// taken is when a message's picture was taken.
func taken(h feedwire.Header) (time.Time, error) {
	arrived := time.Now()
	now, err := monotonic()
	if err != nil {
		return time.Time{}, err
	}
	age, err := h.Age(now)
	if err != nil {
		return time.Time{}, &refusal{err}
	}
	return arrived.Add(-age), nil
}

// monotonic is what CLOCK_MONOTONIC says, which all programs of a machine share.
func monotonic() (time.Duration, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Duration(now.Nano()), err
}

// await fills b, which must come within d unless that is 0.
func (s *sender) await(d time.Duration, b []byte) error {
	var deadline time.Time
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	if s.life.Err() != nil { // the deadline of its end may have been overwritten
		return context.Cause(s.life)
	}
	_, err := io.ReadFull(s.conn, b)
	return err
}

// takeDetections puts a message's detections on the board. Wrong ones are answered,
// and change nothing else.
func (s *sender) takeDetections(h feedwire.Header, captured time.Time) error {
	if h.Detections == 0 {
		return nil
	}
	if cap(s.detections) < h.Detections {
		s.detections = make([]byte, h.Detections)
	}
	line := s.detections[:h.Detections]
	if err := s.await(messageTime, line); err != nil {
		return err
	}
	set, err := detect.Decode(line, captured)
	if err != nil {
		return s.answer(map[string]any{"error": err.Error()})
	}
	s.feed.board.Put(set)
	return nil
}

// takePicture passes a message's picture on.
func (s *sender) takePicture(h feedwire.Header, captured time.Time) error {
	if h.Format == feedwire.None {
		return nil
	}
	p := s.pictures.take()
	p.captured = captured
	memory := p.memory
	if h.Format == feedwire.BGR24 {
		if s.bgr == nil {
			s.bgr = make([]byte, h.PictureLen())
		}
		memory = s.bgr
	}
	if err := s.await(messageTime, memory); err != nil {
		p.release()
		return fmt.Errorf("in the middle of a picture: %w", err)
	}
	if !s.feed.isOpen() || !s.pace.due(captured) {
		p.release()
		return nil
	}
	if h.Format == feedwire.BGR24 {
		i420.FromBGR(&p.YCbCr, s.bgr)
	}
	s.feed.show(p)
	return nil
}
