package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/ws"
	"wimz.dev/live/relay/wire"
)

// TestUntimely: how old a command may be, and how far ahead a clock.
func TestUntimely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for name, c := range map[string]struct {
			at      wire.Raw
			refused bool
		}{
			"no time":          {nil, false},
			"now":              {wire.Millis(now), false},
			"just fresh":       {wire.Millis(now.Add(-wire.MaxCommandAge)), false},
			"just stale":       {wire.Millis(now.Add(-wire.MaxCommandAge - time.Millisecond)), true},
			"just ahead":       {wire.Millis(now.Add(wire.MaxClockLead)), false},
			"too far ahead":    {wire.Millis(now.Add(wire.MaxClockLead + time.Millisecond)), true},
			"a fraction":       {append(wire.Millis(now), ".25"...), false},
			"seconds":          {wire.Raw("1700000000"), true},
			"before all time":  {wire.Raw("-1e300"), true},
			"after all time":   {wire.Raw("1e300"), true},
			"beyond a float64": {wire.Raw("1e999"), true},
			"below a float64":  {wire.Raw("-1e999"), true},
		} {
			if got := untimely(&wire.Message{Timestamp: c.at}); (got != "") != c.refused {
				t.Errorf("%s: %q", name, got)
			}
		}
	})
}

// TestRobotThatDoesNotKeepUp refuses commands, and is there all the same.
func TestRobotThatDoesNotKeepUp(t *testing.T) {
	b, told := appOn(bus.NewMemory())
	r := &robot{client: client{Hub: hubOn(b), conn: ws.New(nil, ws.Limits{})}} // nobody writes
	command := bus.Envelope{From: bus.Sender{Peer: "app"}, Message: wire.Message{Type: wire.TypeCommand, Command: "motor"}}
	accepted := 0
	for r.deliver(t.Context(), command) == nil {
		accepted++
	}
	if err := r.deliver(t.Context(), command); !errors.Is(err, bus.ErrBusy) || accepted < config.Default().SocketTraffic.Burst {
		t.Errorf("%d were accepted, then %v", accepted, err)
	}
	if err := r.deliver(t.Context(), bus.Envelope{Message: wire.Message{Type: wire.TypeRequest}}); err != nil {
		t.Errorf("a request: %v", err)
	}
	r.conn.Close(wire.CloseReplaced, "")
	if err := r.deliver(t.Context(), command); !errors.Is(err, bus.ErrBusy) || len(*told) != 0 {
		t.Errorf("full, at its end: %v, told %v", err, *told)
	}
}

// TestRobotThatHasGone: what it was sent at the last moment is answered.
func TestRobotThatHasGone(t *testing.T) {
	b, told := appOn(bus.NewMemory())
	r := &robot{client: client{Hub: hubOn(b), conn: ws.New(nil, ws.Limits{}), me: bus.Sender{Device: "robot"}}}
	r.conn.Close(wire.CloseReplaced, "")
	err := r.deliver(t.Context(), bus.Envelope{
		From: bus.Sender{Peer: "app"}, Message: wire.Message{Type: wire.TypeCommand, Command: "motor"},
	})
	if err != nil || len(*told) != 1 || (*told)[0].String() != "error motor robot DEVICE_OFFLINE" {
		t.Errorf("%v, told %v", err, *told)
	}
}

func hubOn(b bus.Bus) *Hub { return New(Config{Bus: b}) }

// appOn puts an app on a bus, and returns what it is told.
func appOn(b bus.Bus) (bus.Bus, *[]wire.Message) {
	var told []wire.Message
	b.Claim(bus.AppAddress("app"), func(_ context.Context, e bus.Envelope) error {
		told = append(told, e.Message)
		return nil
	}, nil)
	return b, &told
}

// TestLostCommands: the app is told why, and of which robot and command.
func TestLostCommands(t *testing.T) {
	b, told := appOn(bus.NewMemory())
	r := &robot{client: client{Hub: hubOn(b), me: bus.Sender{Device: "robot"}}}
	r.lost("app", "motor", time.Now().Add(time.Minute))
	r.lost("app", "motor", time.Now().Add(-time.Minute))
	r.lost("an app that has gone", "motor", time.Now())
	want := []string{"error motor robot DEVICE_OFFLINE", "error motor robot STALE_COMMAND"}
	if len(*told) != 2 || (*told)[0].String() != want[0] || (*told)[1].String() != want[1] {
		t.Errorf("told %v", *told)
	}
}
