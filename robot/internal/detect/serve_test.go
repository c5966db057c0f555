package detect_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/detect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// serving is a server that ends with the test.
type serving struct {
	t     *testing.T
	path  string
	board detect.Board
}

func serve(t *testing.T) *serving {
	t.Helper()
	s := &serving{t: t, path: filepath.Join(t.TempDir(), "detections.sock")}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- detect.Serve(ctx, s.path, &s.board, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// sender is a detector; whatever it waits for, it waits for a bounded time.
type sender struct {
	net.Conn
	t       *testing.T
	answers *bufio.Reader
}

func (s *serving) dial() *sender {
	s.t.Helper()
	var conn net.Conn
	s.eventually("a listener", func() (err error) {
		conn, err = net.Dial("unix", s.path)
		return err
	})
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &sender{conn, s.t, bufio.NewReader(conn)}
}

func (s *serving) eventually(what string, check func() error) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s: %v", what, err)
		}
	}
}

// showing waits until the board has the mode.
func (s *serving) showing(mode string) {
	s.t.Helper()
	s.eventually("mode "+mode+" on the board", func() error {
		if got := s.board.Newest().Mode; got != mode {
			return errors.New("it shows " + got)
		}
		return nil
	})
}

func (s *sender) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sender) expect(want string) {
	s.t.Helper()
	answer, err := s.answers.ReadString('\n')
	if err != nil || !strings.HasPrefix(answer, `{"error":"`) || !strings.Contains(answer, want) {
		s.t.Errorf("answered %q, %v; want %q", answer, err, want)
	}
}

func TestLinesReachTheBoard(t *testing.T) {
	s := serve(t)
	detector := s.dial()
	before := time.Now()
	detector.send(`{"mode":"one","objects":[{"class":"dog","box":[0,0,1,1]}]}` + "\n")
	s.showing("one")
	if got := s.board.Newest(); len(got.Objects) != 1 || got.At.Before(before) || time.Since(got.At) < 0 {
		t.Errorf("%+v", got)
	}
	detector.send("{\"mode\":\"two\"}\n{\"mode\":\"three\"}\n{\"mode\":\"fo")
	s.showing("three")
	detector.send("ur\"}\n")
	s.showing("four")
	// The last line of another sender lacks its end.
	other := s.dial()
	other.send(`{"mode":"five"}`)
	_ = other.Close()
	s.showing("five")
	detector.send("{\"mode\":\"six\"}\n")
	s.showing("six")
}

func TestBadLinesAreAnswered(t *testing.T) {
	s := serve(t)
	detector := s.dial()
	detector.send("{\"mode\":\"good\"}\n\n")
	detector.expect("not a JSON object")
	detector.send("GET / HTTP/1.1\r\n")
	detector.expect("not a JSON object")
	detector.send(`{"objects":[{"box":[0,0,640,480]}]}` + "\n")
	detector.expect("objects[0].box has the coordinate 640")
	for _, long := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 300 << 10} {
		detector.send(strings.Repeat(" ", long) + "\n")
		if long < 64<<10 {
			detector.expect("not a JSON object")
		} else {
			detector.expect("longer than 65536 bytes")
		}
	}
	if got := s.board.Newest().Mode; got != "good" {
		t.Errorf("the board shows %q", got)
	}
	detector.send("{\"mode\":\"better\"}\n")
	s.showing("better")
}

// TestSendersWhoHarm: one that says nothing, one in the middle of an endless line, one
// that never reads what it is answered. Another's lines arrive all the same.
func TestSendersWhoHarm(t *testing.T) {
	s := serve(t)
	s.dial()
	s.dial().send(strings.Repeat("x", 200<<10))
	deaf := s.dial()
	flood := strings.Repeat("wrong\n", 1000)
	disconnected := make(chan error, 1)
	go func() {
		for {
			if _, err := io.WriteString(deaf, flood); err != nil {
				disconnected <- err
				return
			}
		}
	}()
	detector := s.dial()
	for _, mode := range []string{"one", "two", "three"} {
		detector.send(`{"mode":"` + mode + "\"}\n")
		s.showing(mode)
	}
	fifth := s.dial()
	fifth.expect("there are 4 senders already")
	if _, err := fifth.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the fifth is still connected: %v", err)
	}
	_ = detector.Close()
	s.eventually("place for another", func() error {
		another := s.dial()
		defer another.Close() //nolint:errcheck // it is given up
		if _, err := io.WriteString(another, "{\"mode\":\"four\"}\nwrong\n"); err != nil {
			return err
		}
		answer, err := another.answers.ReadString('\n')
		if err == nil && !strings.Contains(answer, "not a JSON") {
			err = errors.New(answer)
		}
		return err
	})
	s.showing("four")
	if err := <-disconnected; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("who reads no answers stays connected")
	}
}

// TestFastSenderIsSlowedDown: what it sends is taken, one after another.
func TestFastSenderIsSlowedDown(t *testing.T) {
	s := serve(t)
	detector := s.dial()
	begin := time.Now()
	detector.send(strings.Repeat("{\"mode\":\"more\"}\n", 119) + "{\"mode\":\"last\"}\n")
	s.showing("last")
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("120 lines were taken in %v", took)
	}
}

func TestSocketThatCannotBe(t *testing.T) {
	err := detect.Serve(t.Context(), filepath.Join(t.TempDir(), "no", "such"), &detect.Board{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "listen for detections") {
		t.Errorf("got %v", err)
	}
}
