package detect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wimz.dev/live/robot/internal/localsocket"
)

// Bounds of the socket.
const (
	maxSenders  = 4
	linesPerSec = 100 // of one sender; a faster one is slowed down
)

// Serve takes detections from local programs until ctx ends, and returns nil then:
// each line they send to the Unix socket at path (see [Decode]) goes to the board.
// Nothing is answered to a good line; a bad one is answered with
//
//	{"error": "objects[0].box has 3 numbers; use [left, top, width, height]"}
//
// and changes nothing else: the connection goes on. A sender who does not read the
// answers for a second is disconnected. Up to four may be connected; the last line
// of any of them counts.
func Serve(ctx context.Context, path string, b *Board, log *slog.Logger) error {
	listener, err := localsocket.Listen(ctx, path)
	if err != nil {
		return fmt.Errorf("listen for detections: %w", err)
	}
	s := &server{board: b, log: log, places: make(chan struct{}, maxSenders)}
	localsocket.Serve(ctx, listener, log, func(conn *net.UnixConn) { s.accept(ctx, conn) })
	s.senders.Wait()
	return nil
}

type server struct {
	board   *Board
	log     *slog.Logger
	places  chan struct{} // holds a token for each sender
	senders sync.WaitGroup
}

func (s *server) accept(ctx context.Context, conn net.Conn) {
	select {
	case s.places <- struct{}{}:
	default:
		s.log.WarnContext(ctx, "detector refused", "senders", maxSenders)
		_ = reply(conn, fmt.Errorf("there are %d senders already", maxSenders)) // it is given up
		_ = conn.Close()
		return
	}
	s.senders.Go(func() {
		defer func() { <-s.places }()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer conn.Close() //nolint:errcheck // it is given up
		s.log.InfoContext(ctx, "detector connected")
		err := s.read(ctx, conn)
		s.log.InfoContext(ctx, "detector disconnected", "error", err)
	})
}

// read puts the sender's lines on the board until the connection ends.
func (s *server) read(ctx context.Context, conn net.Conn) error {
	reader := bufio.NewReaderSize(conn, MaxLine)
	pace := rate.NewLimiter(linesPerSec, linesPerSec)
	for {
		line, err := readLine(reader)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, errTooLong):
			return err
		case err == nil:
			err = s.put(line)
		}
		if err != nil {
			if err = reply(conn, err); err != nil {
				return err
			}
		}
		if err = pace.Wait(ctx); err != nil {
			return err
		}
	}
}

// readLine returns the next line, which is the reader's, or errTooLong after a line
// that was skipped. The last line may lack its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if len(line) > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	return nil, errTooLong
}

func (s *server) put(line []byte) error {
	set, err := Decode(line, time.Now())
	if err == nil {
		s.board.Put(set)
	}
	return err
}

// reply tells a sender what was wrong.
func reply(conn net.Conn, wrong error) error {
	return localsocket.Reply(conn, map[string]string{"error": wrong.Error()})
}
