package client

import (
	"context"
	"errors"
	"log/slog"
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

const deviceSecret = "secret-of-the-robot"

func device() Identity { return Device("robot", deviceSecret) }

// relay is a server that takes or refuses each connection as a test says.
type relay struct {
	*testing.T
	URL     string
	arrived chan *far
}

// far is the relay's end of one connection: a request, and a socket once it
// has been accepted.
type far struct {
	*testing.T
	request *http.Request
	verdict chan int  // status, or 101
	date    time.Time // that a refusal carries; zero: the true one
	socket  *websocket.Conn
	opened  chan struct{}
}

func newRelay(t *testing.T) *relay {
	r := &relay{T: t, arrived: make(chan *far)}
	upgrader := websocket.Upgrader{}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		f := &far{T: t, request: request, verdict: make(chan int, 1), opened: make(chan struct{})}
		select {
		case r.arrived <- f:
		case <-done:
			return
		}
		status := <-f.verdict
		if status != http.StatusSwitchingProtocols {
			if !f.date.IsZero() {
				w.Header().Set("Date", f.date.UTC().Format(http.TimeFormat))
			}
			w.WriteHeader(status)
			return
		}
		f.socket, _ = upgrader.Upgrade(w, request, nil)
		close(f.opened)
	}))
	r.URL = server.URL
	t.Cleanup(func() {
		close(done)
		server.Close()
	})
	return r
}

func (r *relay) next() *far {
	r.Helper()
	select {
	case f := <-r.arrived:
		return f
	case <-time.After(patience):
		r.Fatal("nobody dials")
		return nil
	}
}

// accept opens the next connection.
func (r *relay) accept() *far {
	r.Helper()
	f := r.next()
	f.verdict <- http.StatusSwitchingProtocols
	<-f.opened
	if f.socket == nil {
		r.Fatal("no upgrade")
	}
	r.Cleanup(func() { _ = f.socket.Close() })
	_ = f.socket.SetReadDeadline(time.Now().Add(patience))
	return f
}

// refuse answers the next connection with a status.
func (r *relay) refuse(status int) {
	r.Helper()
	r.next().verdict <- status
}

// refuseAt refuses the next signature, by a clock of its own.
func (r *relay) refuseAt(at time.Time) {
	r.Helper()
	f := r.next()
	f.date = at
	f.verdict <- http.StatusUnauthorized
}

func (f *far) raw(frame string) {
	f.Helper()
	if err := f.socket.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		f.Fatal(err)
	}
}

func (f *far) send(m wire.Message) {
	f.Helper()
	f.raw(string(wire.Encode(m)))
}

// hears checks the type of the next message.
func (f *far) hears(want wire.Type) {
	f.Helper()
	_, frame, err := f.socket.ReadMessage()
	if err != nil || !strings.Contains(string(frame), `"`+string(want)+`"`) {
		f.Fatalf("heard %s, %v", frame, err)
	}
}

// close ends the connection with a code.
func (f *far) close(code wire.CloseCode) {
	f.Helper()
	closing := websocket.FormatCloseMessage(int(code), "")
	if err := f.socket.WriteMessage(websocket.CloseMessage, closing); err != nil {
		f.Fatal(err)
	}
	f.closedWith(int(code))
}

// closedWith reads on to the close frame.
func (f *far) closedWith(code int) {
	f.Helper()
	for {
		_, _, err := f.socket.ReadMessage()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) && closed.Code == code {
			return
		}
		if err != nil {
			f.Fatalf("closed with %v, want %d", err, code)
		}
	}
}

// running is a client's Run.
type running struct {
	*testing.T
	client   *Client
	cancel   context.CancelFunc
	ended    chan error
	ups      chan struct{}
	downs    chan error
	messages chan wire.Message
}

func (r *relay) start(t *testing.T, as Identity, change func(*Config)) *running {
	t.Helper()
	return start(t, r.URL, as, change)
}

// start runs a client with hardly any back-off until the test ends.
func start(t *testing.T, url string, as Identity, change func(*Config)) *running {
	t.Helper()
	r := &running{
		T: t, ended: make(chan error, 1), ups: make(chan struct{}, 64),
		downs: make(chan error, 64), messages: make(chan wire.Message, 64),
	}
	cfg := Config{
		URL: url, Identity: as, Delay: time.Millisecond, MaxDelay: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		OnUp: func() { r.ups <- struct{}{} }, OnDown: func(err error) { r.downs <- err },
		OnMessage: func(m wire.Message) { r.messages <- m },
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.ended <- r.client.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	return r
}

func wait[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("never: %s", what)
		panic("unreachable")
	}
}

func (r *running) up()                   { r.Helper(); wait(r.T, r.ups, "connected") }
func (r *running) down() error           { r.Helper(); return wait(r.T, r.downs, "disconnected") }
func (r *running) message() wire.Message { r.Helper(); return wait(r.T, r.messages, "a message") }
func (r *running) end() error            { r.Helper(); return wait(r.T, r.ended, "Run returns") }

// stop ends Run, which must be no error.
func (r *running) stop() {
	r.Helper()
	r.cancel()
	if err := r.end(); err != nil {
		r.Errorf("Run returned %v", err)
	}
}
