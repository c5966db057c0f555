package client

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

func TestMessagesBothWays(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	socket := relay.accept()
	run.up()
	socket.send(wire.Message{Type: wire.TypeClose, SessionID: "s1"})
	if m := run.message(); m.Type != wire.TypeClose || m.SessionID != "s1" {
		t.Errorf("received %s", m)
	}
	if err := run.client.Send(wire.Message{Type: wire.TypeHello}); err != nil {
		t.Fatal(err)
	}
	socket.hears(wire.TypeHello)
	run.stop()
	socket.closedWith(websocket.CloseNormalClosure)
	if len(run.downs) > 0 {
		t.Errorf("a requested end is reported as %v", <-run.downs)
	}
}

// TestHeartbeats are answered, and nobody is bothered with them, or with what
// the contract does not know.
func TestHeartbeats(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	socket := relay.accept()
	for _, frame := range []string{
		`{"type":"ping"}`, `{"type":"pong"}`, `{"type":"going_away"}`, `{"type":"from_the_future"}`, `garbage`, `{"type":"auth","token":"t"}`,
	} {
		socket.raw(frame)
	}
	socket.hears(wire.TypePong)
	socket.send(wire.Message{Type: wire.TypeResumed, SessionID: "s1"})
	if m := run.message(); m.Type != wire.TypeResumed {
		t.Errorf("received %s", m)
	}
}

func TestSendOffline(t *testing.T) {
	relay := newRelay(t)
	c, err := New(Config{URL: relay.URL, Identity: device(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(wire.Message{Type: wire.TypeHello}); !errors.Is(err, ErrOffline) {
		t.Errorf("before Run: %v", err)
	}
	run := relay.start(t, device(), func(cfg *Config) { cfg.Delay, cfg.MaxDelay = time.Hour, time.Hour })
	socket := relay.accept()
	run.up()
	_ = socket.socket.Close()
	_ = run.down()
	if err := run.client.Send(wire.Message{Type: wire.TypeHello}); !errors.Is(err, ErrOffline) {
		t.Errorf("while waiting: %v", err)
	}
	run.stop()
	if err := run.client.Send(wire.Message{Type: wire.TypeHello}); !errors.Is(err, ErrOffline) {
		t.Errorf("after Run: %v", err)
	}
}

// TestReconnects: whatever ends a connection, the next one comes, signed anew.
func TestReconnects(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	for _, end := range []func(*far){
		func(f *far) { _ = f.socket.Close() },
		func(f *far) { f.close(wire.CloseGoingAway) },
		func(f *far) { f.close(wire.CloseNoHeartbeat) },
		func(f *far) { f.close(wire.CloseTooSlow) },
		func(f *far) { f.close(wire.CloseAuthEnded) }, // a robot has nobody to ask
		func(f *far) { f.close(wire.CloseSuperseded) },
	} {
		socket := relay.accept()
		run.up()
		end(socket)
		_ = run.down()
	}
	relay.accept()
	run.up()
}

// TestRobotNeverGivesUp, however often it is refused.
func TestRobotNeverGivesUp(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	for _, status := range []int{401, 401, 403, 500, 503, 401} {
		relay.refuse(status)
		if err := run.down(); (status == http.StatusUnauthorized) != errors.Is(err, ErrUnauthorized) {
			t.Errorf("%d: %v", status, err)
		}
	}
	relay.accept()
	run.up()
}

// TestClockIsWrong: a robot whose clock was set is back with its second attempt. The
// relay here has another clock than the robot; which of them is wrong is all the same.
func TestClockIsWrong(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), nil)
	signed := func(f *far) time.Duration {
		t.Helper()
		seconds, err := strconv.ParseInt(f.request.Header.Get("X-Timestamp"), 10, 64)
		if err != nil || !wire.VerifySignature(deviceSecret, "robot", time.Unix(seconds, 0), f.request.Header.Get("X-Signature")) {
			t.Errorf("signed %d, %v", seconds, err)
		}
		return time.Until(time.Unix(seconds, 0)).Round(time.Minute)
	}
	for _, c := range []struct{ there, want time.Duration }{
		{7 * time.Hour, 7 * time.Hour},
		{-7 * time.Hour, -7 * time.Hour},
		{0, 0}, // set right again
		{25 * time.Hour, 0},
		{time.Minute, 0}, // that was not why
		{200 * time.Second, 3 * time.Minute},
	} {
		relay.refuseAt(time.Now().Add(c.there))
		_ = run.down()
		socket := relay.accept()
		run.up()
		if got := signed(socket); (got - c.want).Abs() > time.Minute {
			t.Errorf("the relay's clock is %s ahead: signed for %s ahead", c.there, got)
		}
		socket.close(wire.CloseGoingAway)
		_ = run.down()
	}
	// A clock that is put back a little does not go behind what was accepted.
	relay.refuseAt(time.Now())
	_ = run.down()
	if got := signed(relay.accept()); got < 2*time.Minute {
		t.Errorf("signed for %s ahead", got)
	}
}

// TestAppGivesUp when its login has ended, and only then.
func TestAppGivesUp(t *testing.T) {
	token := func() string { return "secret-token" }
	for name, c := range map[string]struct {
		end  func(*relay)
		want error
	}{
		"401":        {func(r *relay) { r.refuse(401); r.refuse(401) }, ErrUnauthorized},
		"auth ended": {func(r *relay) { r.accept().close(wire.CloseAuthEnded) }, ErrUnauthorized},
		"superseded": {func(r *relay) { r.accept().close(wire.CloseSuperseded) }, ErrSuperseded},
		"401 after a loss": {func(r *relay) {
			r.accept().close(wire.CloseGoingAway)
			r.refuse(503)
			r.refuse(401)
			r.refuse(401)
		}, ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			relay := newRelay(t)
			run := relay.start(t, App(token), nil)
			c.end(relay)
			if err := run.end(); !errors.Is(err, c.want) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// TestIdentities: what each presents, and where.
func TestIdentities(t *testing.T) {
	relay := newRelay(t)
	tokens := []string{"secret-first", "secret-second"}
	var dials atomic.Int32
	relay.start(t, App(func() string { return tokens[min(int(dials.Add(1))-1, 1)] }), nil)
	for _, token := range tokens {
		socket := relay.accept()
		if got := socket.request.Header.Get("Authorization"); got != "Bearer "+token || socket.request.URL.Path != "/ws/app" || socket.request.URL.RawQuery != "" {
			t.Errorf("dialed %s with %s", socket.request.URL, got)
		}
		socket.close(wire.CloseGoingAway)
	}

	relay = newRelay(t)
	relay.start(t, App(func() string { return "secret+token" }), nil)
	relay.refuse(http.StatusUnauthorized) // it looks for a token in the query
	socket := relay.accept()
	if socket.request.Header.Get("Authorization") != "" || socket.request.URL.RawQuery != "token=secret%2Btoken" {
		t.Errorf("dialed %s again", socket.request.URL)
	}

	relay = newRelay(t)
	relay.start(t, device(), nil)
	socket = relay.accept()
	h := socket.request.Header
	seconds, err := strconv.ParseInt(h.Get("X-Timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	signed := time.Unix(seconds, 0)
	if time.Since(signed).Abs() > time.Minute || !wire.VerifySignature(deviceSecret, "robot", signed, h.Get("X-Signature")) ||
		h.Get("X-Device-ID") != "robot" || socket.request.URL.Path != "/ws/device" || socket.request.URL.RawQuery != "" {
		t.Errorf("dialed %s with %v", socket.request.URL, h)
	}
}

// TestEndsWhileDialing: Run ends with its context although the relay has taken
// the connection and does not answer.
func TestEndsWhileDialing(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	run := start(t, "ws://"+listener.Addr().String(), device(), nil)
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	run.stop()
	if d := time.Since(began); d > dialTimeout/2 {
		t.Errorf("took %s", d)
	}
}

// TestEndsWhileWaiting: nor does the back-off hold it up.
func TestEndsWhileWaiting(t *testing.T) {
	relay := newRelay(t)
	run := relay.start(t, device(), func(cfg *Config) { cfg.Delay, cfg.MaxDelay = time.Hour, time.Hour })
	relay.refuse(503)
	_ = run.down()
	run.stop()
}

// TestSecretsStayInside: in no error and in no log line is a token, a secret
// or a signature, whatever goes wrong.
func TestSecretsStayInside(t *testing.T) {
	relay := newRelay(t)
	var log bytes.Buffer
	for _, identity := range []Identity{device(), App(func() string { return "secret-token" })} {
		for _, url := range []string{relay.URL, "ws://127.0.0.1:1", "ws://secret-user:secret-word@127.0.0.1:1/?token=secret-token"} {
			ctx, cancel := context.WithCancel(t.Context())
			var down error
			c, err := New(Config{
				URL: url, Identity: identity, Delay: time.Millisecond, MaxDelay: time.Millisecond,
				Log:       slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				OnMessage: func(wire.Message) {},
				OnDown: func(err error) {
					down = err
					cancel()
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if url == relay.URL {
				go relay.refuse(500)
			}
			_ = c.Run(ctx)
			if down == nil || strings.Contains(down.Error(), "secret") || strings.Contains(down.Error(), "Signature") {
				t.Errorf("the error is %v", down)
			}
		}
	}
	if strings.Contains(log.String(), "secret") || log.Len() == 0 {
		t.Errorf("the log is %s", log.String())
	}
}
