package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"wimz.dev/live/relay/apispec/apicheck"
)

// Tap stands before a relay, passes every byte on as it is, and holds what
// passes to the relay's own documents: every frame on the sockets, both ways,
// and every HTTP answer.
type Tap struct {
	listener net.Listener
	relay    func() string // where the relay is now
	check    *apicheck.Checker
	// hostile: what the clients say breaks the contract on purpose.
	hostile bool

	mu    sync.Mutex
	wrong []error               // guarded by mu
	open  map[net.Conn]net.Conn // from a client, to the relay; guarded by mu
	work  sync.WaitGroup
}

// maxWrong is how many violations are kept.
const maxWrong = 10

// startTap listens where clients expect the relay.
func startTap(ctx context.Context, listen string, hostile bool, relay func() string) (*Tap, error) {
	check, err := apicheck.New()
	if err != nil {
		return nil, err
	}
	t := &Tap{relay: relay, check: check, hostile: hostile, open: map[net.Conn]net.Conn{}}
	t.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, err
	}
	t.work.Go(t.accept)
	return t, nil
}

// Close ends everything and returns what broke the contract.
func (t *Tap) Close() error {
	if t == nil {
		return nil
	}
	_ = t.listener.Close()
	t.mu.Lock()
	for client, relay := range t.open {
		_ = client.Close()
		_ = relay.Close()
	}
	t.mu.Unlock()
	t.work.Wait()
	return errors.Join(t.wrong...)
}

// forget closes every connection from an address, at both ends.
func (t *Tap) forget(ip string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for client, relay := range t.open {
		if host, _, _ := net.SplitHostPort(client.RemoteAddr().String()); host == ip { // a connection has an address
			_ = client.Close()
			_ = relay.Close()
		}
	}
}

func (t *Tap) accept() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.work.Go(func() { t.serve(client) })
	}
}

// serve passes one connection on until either side ends it.
func (t *Tap) serve(client net.Conn) {
	relay, err := net.DialTimeout("tcp", t.relay(), httpTimeout)
	if err != nil {
		_ = client.Close() // as if the relay were not there
		return
	}
	defer t.keep(client, relay)()
	said, answered := newEar(), newEar()
	var parts sync.WaitGroup
	parts.Go(func() { pass(relay, client, said) })
	parts.Go(func() { pass(client, relay, answered) })
	parts.Go(func() { t.listen(said.reader, answered.reader) })
	parts.Wait()
}

// keep makes sure that others reach both ends, until it is undone.
func (t *Tap) keep(client, relay net.Conn) (undo func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[client] = relay
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		_ = client.Close()
		_ = relay.Close()
		delete(t.open, client)
	}
}

// ear is where a copy of one direction goes.
type ear struct {
	reader *io.PipeReader
	writer *io.PipeWriter
}

func newEar() ear {
	r, w := io.Pipe()
	return ear{r, w}
}

// pass copies from one end to the other, and to the ear. When a side has
// nothing more to say the other is told: a lost connection is lost at both
// ends.
func pass(to, from net.Conn, heard ear) {
	_, err := io.Copy(to, io.TeeReader(from, heard.writer))
	_ = heard.writer.Close()
	if tcp, ok := to.(*net.TCPConn); ok && err == nil {
		_ = tcp.CloseWrite()
		return
	}
	_ = to.Close()
	_ = from.Close()
}

// listen reads what both sides say, and never keeps either from saying it.
func (t *Tap) listen(said, answered io.Reader) {
	defer io.Copy(io.Discard, said)     //nolint:errcheck // until it ends
	defer io.Copy(io.Discard, answered) //nolint:errcheck // until it ends
	requests, answers := bufio.NewReader(said), bufio.NewReader(answered)
	for {
		request, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		discarded := make(chan struct{})
		go func() { // a body may be longer than what is buffered
			defer close(discarded)
			_, _ = io.Copy(io.Discard, request.Body)
		}()
		upgraded := t.answer(request, answers)
		<-discarded
		if upgraded {
			t.socket(request.URL.Path, requests, answers)
			return
		}
	}
}

// answer reads the answer to a request and says whether it was an upgrade.
func (t *Tap) answer(request *http.Request, answers *bufio.Reader) (upgraded bool) {
	response, err := http.ReadResponse(answers, request)
	if err != nil {
		return false
	}
	defer response.Body.Close() //nolint:errcheck // a pipe
	upgraded = response.StatusCode == http.StatusSwitchingProtocols
	var body []byte
	if !upgraded {
		body, _ = io.ReadAll(response.Body)
	}
	t.note(t.check.Answer(request.Method, request.URL.Path, response.StatusCode, body))
	return upgraded
}

// socket listens to both directions of a WebSocket.
func (t *Tap) socket(path string, requests, answers io.Reader) {
	from, to := apicheck.FromApp, apicheck.ToApp
	if strings.HasSuffix(path, "/device") {
		from, to = apicheck.FromRobot, apicheck.ToRobot
	}
	var both sync.WaitGroup
	both.Go(func() { t.direction(from, requests, !t.hostile) })
	both.Go(func() { t.direction(to, answers, true) })
	both.Wait()
}

// direction checks the text frames of one direction until it ends.
func (t *Tap) direction(d apicheck.Direction, from io.Reader, check bool) {
	defer io.Copy(io.Discard, from) //nolint:errcheck // until it ends
	for check {
		frame, err := ws.ReadFrame(from)
		if err != nil {
			return
		}
		if frame.Header.OpCode == ws.OpText && frame.Header.Fin {
			t.note(t.check.Frame(d, ws.UnmaskFrameInPlace(frame).Payload))
		}
	}
}

// note keeps what was wrong with something that passed, if anything.
func (t *Tap) note(wrong error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wrong != nil && len(t.wrong) < maxWrong {
		t.wrong = append(t.wrong, fmt.Errorf("at %s: %w", time.Now().Format(time.TimeOnly), wrong))
	}
}
