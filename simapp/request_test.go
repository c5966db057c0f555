package simapp

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

type result struct {
	v   *Viewing
	err error
}

// ask starts a Watch and returns when the relay has heard of it.
func ask(ctx context.Context, t *testing.T, p *Phone, r *fakeRelay, device wire.DeviceID) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		v, err := p.Watch(ctx, Options{Device: device})
		done <- result{v, err}
	}()
	if m := r.await(t, wire.TypeRequest); m.DeviceID != device {
		t.Fatalf("asked for %q", m.DeviceID)
	}
	return done
}

func credentials(id wire.SessionID) wire.Message {
	return wire.Message{Type: wire.TypeCredentials, SessionID: id, ICEServers: &wire.ICEServers{}}
}

func TestRelayErrorsAnswerTheRequest(t *testing.T) {
	for _, m := range []wire.Message{
		{Code: wire.CodeDeviceOffline, Text: "Device offline", DeviceID: "wimz_1"},
		{Code: wire.CodeNotAuthorized, Text: "Not authorized"},
		{Code: wire.CodeTURNError, Text: "TURN error: down", SessionID: "s-9"},
		{Code: wire.CodeRateLimited, Text: "slow down", RetryAfter: 7},
	} {
		t.Run(string(m.Code), func(t *testing.T) {
			p, r := dialFake(t)
			done := ask(t.Context(), t, p, r, "wimz_1")
			m.Type = wire.TypeError
			r.say(m)
			var refused *RelayError
			if got := <-done; !errors.As(got.err, &refused) || refused.Code != m.Code {
				t.Fatalf("got %v", got.err)
			}
			if refused.RetryAfter != time.Duration(m.RetryAfter)*time.Second {
				t.Errorf("retry after %v", refused.RetryAfter)
			}
		})
	}
}

func TestErrorsOfOldSessionsAnswerNoRequest(t *testing.T) {
	p, r := dialFake(t)
	done := ask(t.Context(), t, p, r, "wimz_1")
	r.say(wire.Message{Type: wire.TypeError, Code: wire.CodeSessionUnknown, Text: "gone", SessionID: "s-0"})
	r.say(wire.Message{Type: wire.TypeClose, SessionID: "s-0"})
	r.say(credentials(theSession))
	if got := <-done; got.err != nil || got.v.SessionID() != theSession {
		t.Errorf("got %v, %v", got.v, got.err)
	}
}

func TestFreshCredentialsOfAnEndedViewingAnswerNoRequest(t *testing.T) {
	p, r := dialFake(t)
	first := ask(t.Context(), t, p, r, "wimz_1")
	r.say(credentials("s-1"))
	(<-first).v.Close()
	second := ask(t.Context(), t, p, r, "wimz_2")
	r.say(credentials("s-1"))
	r.say(credentials("s-2"))
	if got := <-second; got.err != nil || got.v.SessionID() != "s-2" {
		t.Errorf("got %v, %v", got.v, got.err)
	}
}

func TestRequestsWaitForEachOther(t *testing.T) {
	p, r := dialFake(t)
	first := ask(t.Context(), t, p, r, "wimz_1")
	second := make(chan result, 1)
	go func() {
		v, err := p.Watch(t.Context(), Options{Device: "wimz_2"})
		second <- result{v, err}
	}()
	r.say(credentials("s-1"))
	if got := <-first; got.err != nil || got.v.SessionID() != "s-1" {
		t.Errorf("first: %v", got.err)
	}
	if m := r.await(t, wire.TypeRequest); m.DeviceID != "wimz_2" {
		t.Errorf("then asked for %q", m.DeviceID)
	}
	r.say(credentials("s-2"))
	if got := <-second; got.err != nil || got.v.SessionID() != "s-2" {
		t.Errorf("second: %v", got.err)
	}
}

// The answer to a request that was given up must not be taken for the next one's.
func TestAnswersOfAbandonedRequestsAreGivenBack(t *testing.T) {
	p, r := dialFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := ask(ctx, t, p, r, "wimz_1")
	cancel()
	if got := <-first; !errors.Is(got.err, context.Canceled) {
		t.Fatalf("first: %v", got.err)
	}
	second := ask(t.Context(), t, p, r, "wimz_2")
	r.say(credentials("s-1"))
	if m := r.await(t, wire.TypeClose); m.SessionID != "s-1" {
		t.Errorf("closed %q", m.SessionID)
	}
	r.say(credentials("s-2"))
	if got := <-second; got.err != nil || got.v.SessionID() != "s-2" {
		t.Errorf("second: %v", got.err)
	}
}

func TestErrorsFindTheirRequestByDevice(t *testing.T) {
	p, r := dialFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := ask(ctx, t, p, r, "wimz_1")
	cancel()
	<-first
	second := ask(t.Context(), t, p, r, "wimz_2")
	r.say(wire.Message{Type: wire.TypeError, Code: wire.CodeDeviceOffline, Text: "x", DeviceID: "wimz_2"})
	if got := <-second; got.err == nil {
		t.Error("the error went to the wrong request")
	}
}

func TestLostSocketFailsTheRequest(t *testing.T) {
	p, r := dialFake(t)
	done := ask(t.Context(), t, p, r, "wimz_1")
	r.reconnect()
	if got := <-done; !errors.Is(got.err, client.ErrOffline) {
		t.Errorf("got %v", got.err)
	}
	// What was asked on the old socket is not answered on the new one.
	again := ask(t.Context(), t, p, r, "wimz_1")
	r.say(credentials(theSession))
	if got := <-again; got.err != nil {
		t.Error(got.err)
	}
}

func TestRequestWithoutASocket(t *testing.T) {
	p, r := dialFake(t)
	r.mu.Lock()
	r.down = true
	r.mu.Unlock()
	if _, err := p.Watch(t.Context(), Options{}); !errors.Is(err, client.ErrOffline) {
		t.Errorf("got %v", err)
	}
}

func TestSilentRelayIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := dialFake(t)
		start := time.Now()
		_, err := p.Watch(t.Context(), Options{})
		if timeout := (*TimeoutError)(nil); !errors.As(err, &timeout) {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(start); waited != offerTimeout {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestDialFailsWithItsFirstAttempt(t *testing.T) {
	_, err := Dial(t.Context(), Config{RelayURL: "ws://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Error("connected to nobody")
	}
	if _, err = Dial(t.Context(), Config{RelayURL: "ftp://x"}); err == nil {
		t.Error("accepted ftp")
	}
}

func TestRenewSendsTheToken(t *testing.T) {
	p, r := dialFake(t)
	if err := p.Renew("fresh"); err != nil {
		t.Fatal(err)
	}
	if m := r.await(t, wire.TypeAuth); m.Token != "fresh" {
		t.Error("another token was sent")
	}
	if p.currentToken() != "fresh" {
		t.Error("the next dial would use the old token")
	}
}
