package simapp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

// drive starts a Command and returns when the relay has heard of it, with the
// question behind it.
func drive(ctx context.Context, t *testing.T, p *Phone, r *fakeRelay, c Command) (behind wire.Message, done <-chan error) {
	t.Helper()
	outcome := make(chan error, 1)
	go func() { outcome <- p.Command(ctx, c) }()
	sent := r.await(t, wire.TypeCommand)
	if sent.Command != c.Name || sent.DeviceID != c.Device || string(sent.Data) != string(c.Data) || sent.Age(time.Now()) > time.Minute {
		t.Fatalf("sent %s", wire.Encode(sent))
	}
	return r.await(t, wire.TypeGetStatus), outcome
}

// status is the relay's answer to a question for a robot that does not exist.
func status(asked wire.Message) wire.Message {
	return wire.Message{Type: wire.TypeStatus, DeviceID: asked.DeviceID, Paired: new(false), RobotUp: new(false)}
}

func refusal(device wire.DeviceID, command string) wire.Message {
	return wire.Message{Type: wire.TypeError, Code: wire.CodeDeviceOffline, Text: "Device offline", DeviceID: device, Command: command}
}

func TestCommandPassedOn(t *testing.T) {
	p, r := dialFake(t)
	for range 3 {
		behind, done := drive(t.Context(), t, p, r, Command{Device: "wimz_1", Name: "motor", Data: json.RawMessage(`{"left":1}`)})
		r.say(wire.Message{Type: wire.TypeRobotStatus, DeviceID: "wimz_1", Online: new(true)})
		r.say(refusal("wimz_1", "another"))
		r.say(status(behind))
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestCommandRefused(t *testing.T) {
	p, r := dialFake(t)
	behind, done := drive(t.Context(), t, p, r, Command{Name: "motor"})
	r.say(refusal("wimz_1", "motor"))
	r.say(wire.Message{Type: wire.TypeError, Code: wire.CodeRateLimited, Text: "x", DeviceID: behind.DeviceID})
	var refused *RelayError
	if err := <-done; !errors.As(err, &refused) || refused.Code != wire.CodeDeviceOffline {
		t.Errorf("got %v", err)
	}
}

// TestRefusedCommandIsNoAnswerToARequest for the same robot.
func TestRefusedCommandIsNoAnswerToARequest(t *testing.T) {
	p, r := dialFake(t)
	watching := ask(t.Context(), t, p, r, "wimz_1")
	r.say(refusal("wimz_1", "motor")) // of a command that nobody waits for
	r.say(credentials(theSession))
	if got := <-watching; got.err != nil {
		t.Error(got.err)
	}
}

// TestCommandGivenUp: its answers are not taken for the next one's.
func TestCommandGivenUp(t *testing.T) {
	p, r := dialFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	first, done := drive(ctx, t, p, r, Command{Name: "motor"})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := p.Command(ctx, Command{Name: "motor"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	second, done := drive(t.Context(), t, p, r, Command{Name: "motor"})
	r.say(status(first))
	r.say(refusal("", "motor"))
	r.say(status(second))
	if err := <-done; err == nil {
		t.Error("the first one's answer ended the second")
	}
}

// TestCommandsOutOfBounds are not sent: the relay would not say which is meant.
func TestCommandsOutOfBounds(t *testing.T) {
	p, r := dialFake(t)
	for want, c := range map[string]Command{
		"lacks a field":         {},
		"command is malformed":  {Name: "No Name"},
		"device_id":             {Name: "motor", Device: "../x"},
		"data is not JSON":      {Name: "motor", Data: json.RawMessage(`{"left":`)},
		"data is not an object": {Name: "motor", Data: json.RawMessage(`[1]`)},
	} {
		err := p.Command(t.Context(), c)
		if bad := (*wire.BadMessageError)(nil); !errors.As(err, &bad) || !strings.Contains(bad.Rule, want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	if len(r.sent) > 0 {
		t.Errorf("sent %s", <-r.sent)
	}
}

func TestCommandsWaitForEachOther(t *testing.T) {
	p, r := dialFake(t)
	behind, first := drive(t.Context(), t, p, r, Command{Name: "first"})
	var other sync.WaitGroup
	other.Go(func() { _ = p.Command(t.Context(), Command{Name: "second"}) })
	r.say(refusal("", "second")) // it has not been sent
	r.say(status(behind))
	if err := <-first; err != nil {
		t.Error(err)
	}
	if m := r.await(t, wire.TypeCommand); m.Command != "second" {
		t.Errorf("sent %s", m)
	}
	r.say(status(r.await(t, wire.TypeGetStatus)))
	other.Wait()
}

func TestCommandWithoutARelay(t *testing.T) {
	p, r := dialFake(t)
	_, done := drive(t.Context(), t, p, r, Command{Name: "motor"})
	r.reconnect()
	if err := <-done; !errors.Is(err, client.ErrOffline) {
		t.Errorf("lost: %v", err)
	}
	r.mu.Lock()
	r.down = true
	r.mu.Unlock()
	if err := p.Command(t.Context(), Command{Name: "motor"}); !errors.Is(err, client.ErrOffline) {
		t.Errorf("away: %v", err)
	}
	p.Close()
	if err := p.Command(t.Context(), Command{Name: "motor"}); err == nil {
		t.Error("a closed phone commands")
	}
}

func TestSilentRelayAndCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := dialFake(t)
		start := time.Now()
		err := p.Command(t.Context(), Command{Name: "motor"})
		if timeout := (*TimeoutError)(nil); !errors.As(err, &timeout) || time.Since(start) != answerTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
