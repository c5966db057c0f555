package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

func write(t *testing.T, peer *websocket.Conn, kind int, data string) {
	t.Helper()
	if err := peer.WriteMessage(kind, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func TestFramesBothWays(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	for i := range 100 {
		text := fmt.Sprintf("frame %d", i)
		write(t, peer, websocket.TextMessage, text)
		if got := s.next(); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
		if !c.Send([]byte(text)) {
			t.Fatal("not queued")
		}
		if _, got, err := peer.ReadMessage(); err != nil || string(got) != text {
			t.Fatalf("got %q, %v, want %q", got, err, text)
		}
	}
	c.Close(websocket.CloseNormalClosure, "")
	readAll(t, peer)
	s.endsWith(websocket.CloseNormalClosure, false)
}

// TestOtherFrames: only text counts, and it may be empty. Who sends binary is
// told, a ping is answered.
func TestOtherFrames(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	write(t, peer, websocket.BinaryMessage, "binary")
	write(t, peer, websocket.PingMessage, "ping")
	write(t, peer, websocket.TextMessage, "")
	write(t, peer, websocket.TextMessage, "text")
	if got := []string{s.next(), s.next()}; !slices.Equal(got, []string{"", "text"}) {
		t.Errorf("got %q", got)
	}
	pong := make(chan string, 1)
	peer.SetPongHandler(func(data string) error {
		pong <- data
		return nil
	})
	c.Close(websocket.CloseNormalClosure, "")
	frames, _, _ := readAll(t, peer)
	if len(frames) != 1 || !strings.Contains(frames[0], string(wire.CodeBadMessage)) {
		t.Errorf("told %q", frames)
	}
	if got := <-pong; got != "ping" {
		t.Errorf("the ping was answered with %q", got)
	}
	s.endsWith(websocket.CloseNormalClosure, false)
}

func TestLargestFrame(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	largest := strings.Repeat("x", wire.MaxFrame)
	write(t, peer, websocket.TextMessage, largest)
	if got := s.next(); got != largest {
		t.Errorf("%d bytes arrived", len(got))
	}
	write(t, peer, websocket.TextMessage, "still there")
	if got := s.next(); got != "still there" {
		t.Errorf("got %q", got)
	}
	c.Close(websocket.CloseNormalClosure, "")
	readAll(t, peer)
	s.endsWith(websocket.CloseNormalClosure, false)
}

// TestTooLarge: the peer is told twice, in words and by the close code, also
// if it goes on sending.
func TestTooLarge(t *testing.T) {
	for name, size := range map[string]int{"by one byte": wire.MaxFrame + 1, "by far": 64 * wire.MaxFrame} {
		t.Run(name, func(t *testing.T) {
			c, peer := loopback(t)
			s := serve(t, t.Context(), c)
			write(t, peer, websocket.TextMessage, strings.Repeat("x", size))
			frames, code, _ := readAll(t, peer)
			if code != int(wire.CloseTooLarge) || len(frames) != 1 {
				t.Fatalf("closed with %d after %d frames", code, len(frames))
			}
			m, err := wire.Decode([]byte(frames[0]), wire.Relay)
			if err != nil || m.Type != wire.TypeError || m.Code != wire.CodeTooLarge {
				t.Errorf("told %s, %v", frames[0], err)
			}
			s.endsWith(wire.CloseTooLarge, false)
			if len(s.received) > 0 {
				t.Error("the frame was received")
			}
		})
	}
}

// TestLengthThatIsNone: the most significant bit of a length is 0 (RFC 6455 §5.2).
func TestLengthThatIsNone(t *testing.T) {
	for name, header := range map[string][]byte{
		"of a message": {0x81}, "of its continuation": {0x01, 0x80, 0, 0, 0, 0, 0x80},
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := loopback(t)
			s := serve(t, t.Context(), c)
			if _, err := peer.NetConn().Write(append(header, bytes.Repeat([]byte{0xff}, 13)...)); err != nil {
				t.Fatal(err)
			}
			if frames, code, _ := readAll(t, peer); code != int(wire.CloseTooLarge) || len(frames) != 1 {
				t.Errorf("closed with %d after %q", code, frames)
			}
			s.endsWith(wire.CloseTooLarge, false)
		})
	}
}

// TestCloseHere: what was queued arrives, then the close frame with the first
// cause given; afterwards nothing is taken.
func TestCloseHere(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("last %d", i))
		c.Send([]byte(want[i]))
	}
	c.Close(wire.CloseAuthEnded, "the token has expired")
	c.Close(wire.CloseReplaced, "too late")
	if c.Send([]byte("too late")) {
		t.Error("a closed connection takes frames")
	}
	frames, code, text := readAll(t, peer)
	if !slices.Equal(frames, want) {
		t.Errorf("%d of %d frames arrived", len(frames), len(want))
	}
	if code != int(wire.CloseAuthEnded) || text != "the token has expired" {
		t.Errorf("closed with %d %q", code, text)
	}
	s.endsWith(wire.CloseAuthEnded, false)
}

// TestClosedBeforeServe: an end that comes first is not missed.
func TestClosedBeforeServe(t *testing.T) {
	c, peer := loopback(t)
	c.Send([]byte("going"))
	c.Close(wire.CloseGoingAway, "")
	s := serve(t, t.Context(), c)
	if frames, code, _ := readAll(t, peer); code != int(wire.CloseGoingAway) || !slices.Equal(frames, []string{"going"}) {
		t.Errorf("closed with %d after %q", code, frames)
	}
	s.endsWith(wire.CloseGoingAway, false)
}

func TestCloseThere(t *testing.T) {
	for _, code := range []wire.CloseCode{
		websocket.CloseNormalClosure, wire.CloseGoingAway, wire.CloseSuperseded, wire.CloseReplaced,
	} {
		c, peer := loopback(t)
		s := serve(t, t.Context(), c)
		write(t, peer, websocket.CloseMessage, string(websocket.FormatCloseMessage(int(code), "bye")))
		if _, answer, _ := readAll(t, peer); answer != int(code) {
			t.Errorf("%d was answered with %d", code, answer)
		}
		s.endsWith(code, true)
		if c.Send([]byte("too late")) {
			t.Error("a closed connection takes frames")
		}
	}
}

func TestContextEnds(t *testing.T) {
	c, peer := loopback(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, ctx, c)
	cancel()
	if _, code, _ := readAll(t, peer); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	s.endsWith(websocket.CloseNormalClosure, false)
}

// TestPeerVanishes: without a close frame the cause is an error all the same.
func TestPeerVanishes(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	_ = peer.Close()
	if err := s.end(); err == nil {
		t.Error("no cause")
	}
}

// TestQueueOverflow: a peer that does not read is closed; if it reads after
// all it gets everything that was queued, in order, and the reason.
func TestQueueOverflow(t *testing.T) {
	c, peer := loopback(t)
	s := serve(t, t.Context(), c)
	padding := strings.Repeat("x", 60<<10)
	queued := 0
	for c.Send(fmt.Appendf(nil, "%d %s", queued, padding)) {
		queued++
	}
	if queued < queueLen {
		t.Errorf("full with %d frames", queued)
	}
	frames, code, _ := readAll(t, peer)
	if code != int(wire.CloseTooSlow) || len(frames) != queued {
		t.Errorf("closed with %d after %d of %d frames", code, len(frames), queued)
	}
	for i, frame := range frames {
		if !strings.HasPrefix(frame, fmt.Sprintf("%d ", i)) {
			t.Fatalf("frame %d is %.10q", i, frame)
		}
	}
	s.endsWith(wire.CloseTooSlow, false)
}

func TestClosedErrors(t *testing.T) {
	for want, err := range map[string]error{
		"closed: 4008 full":                    &ClosedError{Code: wire.CloseTooSlow, Text: "full"},
		"closed by the other side: 4009 newer": &ClosedError{Code: wire.CloseReplaced, Text: "newer", ByPeer: true},
	} {
		if err.Error() != want {
			t.Errorf("got %q", err)
		}
	}
	if err := explain(errors.New("other")); err.Error() != "other" {
		t.Errorf("got %v", err)
	}
}
