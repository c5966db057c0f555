package ws

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test waits for what must happen.
const patience = 10 * time.Second

// loopback connects a Conn with a bare socket through the network.
func loopback(t testing.TB) (*Conn, *websocket.Conn) {
	t.Helper()
	accepted := make(chan *websocket.Conn, 1)
	upgrader := websocket.Upgrader{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- socket
	}))
	defer server.Close() // hijacked connections stay
	peer, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = peer.Close() })
	_ = peer.SetReadDeadline(time.Now().Add(patience))
	return New(<-accepted, Limits{Frame: wire.MaxFrame}), peer
}

// hijacked is the least a response has to be for an upgrade.
type hijacked struct {
	net.Conn
	header http.Header
}

func (h *hijacked) Header() http.Header { return h.header }
func (h *hijacked) WriteHeader(int)     {}
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.Conn, bufio.NewReadWriter(bufio.NewReader(h.Conn), bufio.NewWriter(h.Conn)), nil
}

// pipe connects a Conn with a bare socket in memory, for the time of a bubble.
// Nothing is buffered: a peer that does not read is felt at once.
func pipe(t testing.TB) (*Conn, *websocket.Conn) {
	t.Helper()
	near, far := net.Pipe()
	accepted := make(chan *websocket.Conn, 1)
	go func() {
		request, err := http.ReadRequest(bufio.NewReader(near))
		if err != nil {
			t.Error(err)
		}
		upgrader := websocket.Upgrader{ReadBufferSize: 1024}
		socket, err := upgrader.Upgrade(&hijacked{near, http.Header{}}, request, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- socket
	}()
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return far, nil }}
	peer, response, err := dialer.DialContext(t.Context(), "ws://pipe/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = peer.Close() })
	return New(<-accepted, Limits{Frame: wire.MaxFrame}), peer
}

// serving is a Conn that is served.
type serving struct {
	*testing.T
	received chan string
	ended    chan error
}

func serve(t *testing.T, ctx context.Context, c *Conn) *serving { //nolint:revive // the test comes first
	s := &serving{T: t, received: make(chan string, 1024), ended: make(chan error, 1)}
	go func() { s.ended <- c.Serve(ctx, func(frame []byte) { s.received <- string(frame) }) }()
	return s
}

// end returns why Serve has returned.
func (s *serving) end() error {
	s.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(patience):
		s.Fatal("Serve does not return")
		return nil
	}
}

// endsWith checks the close code that Serve returns.
func (s *serving) endsWith(code wire.CloseCode, byPeer bool) {
	s.Helper()
	err := s.end()
	closed := (*ClosedError)(nil)
	if !errors.As(err, &closed) || closed.Code != code || closed.ByPeer != byPeer {
		s.Errorf("ended with %v, want %d, by the peer: %t", err, code, byPeer)
	}
}

// next returns the next frame of the peer's side.
func (s *serving) next() string {
	s.Helper()
	select {
	case frame := <-s.received:
		return frame
	case <-time.After(patience):
		s.Fatal("nothing was received")
		return ""
	}
}

// readAll reads what comes until the socket is closed, and the close code.
func readAll(t testing.TB, peer *websocket.Conn) (frames []string, code int, text string) {
	t.Helper()
	for {
		_, frame, err := peer.ReadMessage()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
			return frames, closed.Code, closed.Text
		}
		if err != nil {
			t.Errorf("closed without a close frame: %v", err)
			return frames, 0, ""
		}
		frames = append(frames, string(frame))
	}
}
