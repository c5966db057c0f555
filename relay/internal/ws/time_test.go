package ws

import (
	"bytes"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/wire"
)

// listen reads what comes, as a peer that lives, until the socket ends. The
// close code, or 0, follows.
func listen(peer *websocket.Conn) <-chan int {
	code := make(chan int, 1)
	go func() {
		for {
			if _, _, err := peer.ReadMessage(); err != nil {
				if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // the library's own
					code <- closed.Code
				}
				close(code)
				return
			}
		}
	}()
	return code
}

// took checks how long something took in the bubble's time.
func took(t *testing.T, since time.Time, atLeast, atMost time.Duration) {
	t.Helper()
	if d := time.Since(since); d < atLeast || d > atMost {
		t.Errorf("took %s, want %s to %s", d, atLeast, atMost)
	}
}

// TestSilentPeer: one that reads but says nothing, not even pong, is told so.
func TestSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		pings := 0
		peer.SetPingHandler(func(string) error {
			pings++
			return nil
		})
		code := listen(peer)
		began := time.Now()
		err := c.Serve(t.Context(), func([]byte) {})
		took(t, began, wire.ReadTimeout, wire.ReadTimeout+2*lingerTime)
		if closed, ok := err.(*ClosedError); !ok || closed.Code != wire.CloseNoHeartbeat || closed.ByPeer { //nolint:errorlint // ours, unwrapped
			t.Errorf("ended with %v", err)
		}
		if got := <-code; got != int(wire.CloseNoHeartbeat) {
			t.Errorf("the peer was told %d", got)
		}
		if pings != 2 {
			t.Errorf("%d pings in %s", pings, wire.ReadTimeout)
		}
	})
}

// TestStalledFrame: a peer that stops in the middle of a frame is as silent as
// one that says nothing.
func TestStalledFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		began := time.Now()
		go func() {
			_, _ = peer.NetConn().Write([]byte{0x81, 0xfd, 0, 0, 0, 0, '{'}) // one of 125 bytes
		}()
		code := listen(peer)
		err := c.Serve(t.Context(), func([]byte) { t.Error("a frame was received") })
		if closed, ok := err.(*ClosedError); !ok || closed.Code != wire.CloseNoHeartbeat || closed.ByPeer { //nolint:errorlint // ours, unwrapped
			t.Errorf("ended with %v", err)
		}
		took(t, began, wire.ReadTimeout, wire.ReadTimeout+2*lingerTime)
		if got := <-code; got != int(wire.CloseNoHeartbeat) {
			t.Errorf("the peer was told %d", got)
		}
	})
}

// TestQuietPeerLives: pong alone keeps a connection up.
func TestQuietPeerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		code := listen(peer)
		s := serve(t, t.Context(), c)
		time.Sleep(24 * time.Hour) //nolint:forbidigo // the time of the bubble: nobody waits
		select {
		case err := <-s.ended:
			t.Fatalf("ended with %v", err)
		default:
		}
		c.Close(wire.CloseGoingAway, "")
		if got := <-code; got != int(wire.CloseGoingAway) {
			t.Errorf("closed with %d", got)
		}
		s.endsWith(wire.CloseGoingAway, false)
	})
}

// TestPeerPingsLive: so do the peer's own pings.
func TestPeerPingsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		peer.SetPingHandler(func(string) error { return nil })
		code := listen(peer)
		s := serve(t, t.Context(), c)
		for range 100 {
			time.Sleep(wire.ReadTimeout / 2) //nolint:forbidigo // the time of the bubble
			if err := peer.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		c.Close(wire.CloseGoingAway, "")
		<-code
		s.endsWith(wire.CloseGoingAway, false)
	})
}

// TestDeadPeer: one that does not read holds nobody up for longer than a write
// and the lingering may take, whatever the connection was doing.
func TestDeadPeer(t *testing.T) {
	const most = wire.WriteTimeout + 2*lingerTime
	for name, before := range map[string]func(*Conn){
		"idle":          func(*Conn) {},
		"while writing": func(c *Conn) { c.Send([]byte("nobody reads this")) },
		"with a queue": func(c *Conn) {
			for range queueLen {
				c.Send([]byte("nor this"))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := pipe(t)
				s := serve(t, t.Context(), c)
				before(c)
				synctest.Wait()
				began := time.Now()
				c.Close(wire.CloseReplaced, "")
				s.endsWith(wire.CloseReplaced, false)
				took(t, began, 0, most)
			})
		})
	}
}

// TestWriteFails: a peer that stops reading is noticed by the write deadline.
func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pipe(t)
		s := serve(t, t.Context(), c)
		began := time.Now()
		c.Send([]byte("nobody reads this"))
		if err := s.end(); err == nil {
			t.Error("no cause")
		}
		took(t, began, wire.WriteTimeout, wire.WriteTimeout+2*lingerTime)
	})
}

// TestSlowReaderAtTheEnd: the lingering is for all last frames together.
func TestSlowReaderAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		s := serve(t, t.Context(), c)
		for range 100 {
			c.Send([]byte("one every 0.9 seconds"))
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				time.Sleep(9 * lingerTime / 10) //nolint:forbidigo // the time of the bubble
				if _, _, err := peer.ReadMessage(); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		began := time.Now()
		c.Close(wire.CloseReplaced, "")
		s.endsWith(wire.CloseReplaced, false)
		took(t, began, 0, wire.WriteTimeout+2*lingerTime)
		<-read
	})
}

// TestTalkerAtTheEnd: a peer that talks on after the close frame is not
// listened to for ever.
func TestTalkerAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		s := serve(t, t.Context(), c)
		peer.SetCloseHandler(func(int, string) error { return nil })
		listening := listen(peer)
		talked := make(chan struct{})
		go func() {
			defer close(talked)
			for peer.WriteMessage(websocket.TextMessage, []byte("and another thing")) == nil {
				time.Sleep(100 * time.Millisecond) //nolint:forbidigo // the time of the bubble
			}
		}()
		s.next()
		began := time.Now()
		c.Close(wire.CloseSuperseded, "")
		s.endsWith(wire.CloseSuperseded, false)
		took(t, began, 0, 2*lingerTime)
		<-talked
		<-listening
	})
}

// TestPace: who sends faster than agreed waits, whatever kind of frame it is,
// and nothing is lost.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		c.pace = limit.Rate{Burst: 3, Every: time.Second}.Limiter()
		code := listen(peer)
		s := serve(t, t.Context(), c)
		began := time.Now()
		for range 5 {
			write(t, peer, websocket.PingMessage, "")
			write(t, peer, websocket.PongMessage, "")
			write(t, peer, websocket.TextMessage, "text")
			s.next()
		}
		took(t, began, 11*time.Second, 13*time.Second)
		c.Close(wire.CloseGoingAway, "")
		<-code
		s.endsWith(wire.CloseGoingAway, false)
	})
}

// TestAnswersWait: who asks without reading the answers is heard no further, loses
// none of them by that, and leaves room for what others say.
func TestAnswersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const questions = 4 * queueLen
		c, peer := pipe(t)
		ended := make(chan error, 1)
		go func() {
			ended <- c.Serve(t.Context(), func(frame []byte) { c.SendWait(bytes.Clone(frame)) })
		}()
		go func() {
			for i := range questions {
				write(t, peer, websocket.TextMessage, strconv.Itoa(i))
			}
		}()
		synctest.Wait() // nobody gets any further
		if !c.Send([]byte("news")) {
			t.Error("no room for anybody else")
		}
		answered := 0
		for answered < questions {
			_, frame, err := peer.ReadMessage()
			switch {
			case err != nil:
				t.Fatalf("after %d answers: %v", answered, err)
			case string(frame) == strconv.Itoa(answered):
				answered++
			case string(frame) != "news":
				t.Fatalf("answer %d is %q", answered, frame)
			}
		}
		c.Close(wire.CloseGoingAway, "")
		_, _, _ = readAll(t, peer)
		if err := <-ended; err == nil {
			t.Error("ended without a cause")
		}
	})
}

// TestEndDoesNotWaitForThePace of a peer that has to wait for hours.
func TestEndDoesNotWaitForThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		c.pace = limit.Rate{Burst: 1, Every: time.Hour}.Limiter()
		code := listen(peer)
		s := serve(t, t.Context(), c)
		write(t, peer, websocket.PingMessage, "")
		synctest.Wait()
		began := time.Now()
		c.Close(wire.CloseGoingAway, "")
		s.endsWith(wire.CloseGoingAway, false)
		took(t, began, 0, 2*lingerTime)
		if got := <-code; got != int(wire.CloseGoingAway) {
			t.Errorf("closed with %d", got)
		}
	})
}
