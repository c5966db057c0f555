package session

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// end ends the sessions of a token, and returns the robots they were with.
func (w *world) end(token store.TokenID) []wire.DeviceID {
	w.Helper()
	return w.service.End(w.Context(), func(app bus.Sender, _ wire.DeviceID) bool { return app.Token == token })
}

// TestRightEnds: both are told, at once, and nobody else's session is touched.
func TestRightEnds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		first := bus.Sender{Party: wire.App, Peer: "app", User: "owner", Token: "1"}
		second := bus.Sender{Party: wire.App, Peer: "sibling", User: "owner", Token: "2"}
		w.connect(first)
		w.connect(second)
		w.connect(robot.sender())
		w.request(first, "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.request(second, "robot")
		w.said("sibling:webrtc_credentials#2", "robot:webrtc_request#2")
		if got := w.end("3"); len(got) != 0 {
			w.Errorf("ended %v", got)
		}
		w.said()
		if got := w.end("1"); !slices.Equal(got, []wire.DeviceID{"robot"}) {
			w.Errorf("ended %v", got)
		}
		if w.service.Count() != 1 {
			w.Errorf("%d sessions when End has returned", w.service.Count())
		}
		w.said("app:webrtc_close/unauthorized#1", "robot:webrtc_close/unauthorized#1")

		second.Token = "1"
		w.service.Renewed(second)
		if got := w.end("2"); len(got) != 0 {
			w.Errorf("ended %v, which lives by another token now", got)
		}
		w.end("1")
		w.said("sibling:webrtc_close/unauthorized#2", "robot:webrtc_close/unauthorized#2")
		w.released()
	})
}

// TestRightEndsAfterResume: a session lives by the token of the socket it has
// moved to.
func TestRightEndsAfterResume(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		before := bus.Sender{Party: wire.App, Peer: "app", User: "owner", Token: "1"}
		after := bus.Sender{Party: wire.App, Peer: "sibling", User: "owner", Token: "2"}
		w.connect(before)
		w.connect(after)
		w.connect(robot.sender())
		w.request(before, "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		if err := w.say(after, a(wire.TypeResume)); err != nil {
			w.Fatal(err)
		}
		w.said("sibling:webrtc_resumed#1")
		w.end("1")
		w.said()
		w.end("2")
		w.said("sibling:webrtc_close/unauthorized#1", "robot:webrtc_close/unauthorized#1")
	})
}

// TestRightEndsWhilePreparing: the request has its one answer.
func TestRightEndsWhilePreparing(t *testing.T) {
	inWorld(t, func(_ *Config, p *provider) { p.hold = make(chan struct{}) }, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said()
		w.end("")
		w.said("app:error/NOT_AUTHORIZED")
		close(w.provider.hold)
		w.said()
		w.released()
	})
}

// onceOwners owned their robot when they were asked first.
type onceOwners struct {
	owners

	asked atomic.Int64
}

func (o *onceOwners) Entitled(context.Context, store.UserID, wire.DeviceID) (bool, error) {
	return o.asked.Add(1) == 1, nil
}

// TestRightEndedUnheard: between the look into the store and the session's
// registration there is nobody whom End could tell.
func TestRightEndedUnheard(t *testing.T) {
	inWorld(t, func(c *Config, _ *provider) { c.Owners = &onceOwners{} }, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:error/NOT_AUTHORIZED")
		w.pass(time.Second)
		w.released()
	})
}
