package session

import (
	"testing"
	"time"

	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// TestRenewal: at 80 % of their life both sides get other credentials, and the
// old ones are kept while media may still use them.
func TestRenewal(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		for round := 2; round <= 4; round++ {
			w.pass(turn.DefaultTTL*8/10 - time.Second)
			w.said()
			w.pass(time.Second)
			w.said("app:webrtc_credentials#1", "robot:webrtc_credentials#1")
			if minted, revoked := w.provider.counts(); minted != round || revoked > round-2 {
				w.Errorf("%d minted, %d revoked", minted, revoked)
			}
		}
	})
}

// TestRenewalFails: a provider that is down is asked again, quietly.
func TestRenewalFails(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		w.provider.become(&turn.Error{Kind: turn.KindUpstream, Status: 503}, nil)
		w.pass(turn.DefaultTTL * 8 / 10)
		w.said()
		w.provider.become(nil, nil)
		w.pass(time.Minute)
		w.said("app:webrtc_credentials#1", "robot:webrtc_credentials#1")
	})
}

// TestLateCredentials: a session that began without TURN gets it when the
// provider comes back, whether that failed or hangs, and is renewed from then on.
func TestLateCredentials(t *testing.T) {
	for name, fault := range map[string]func(*provider) (heal func()){
		"fails": func(p *provider) func() {
			p.become(&turn.Error{Kind: turn.KindUpstream, Status: 503}, nil)
			return func() {}
		},
		"hangs": func(p *provider) func() {
			hold := make(chan struct{})
			p.become(nil, hold)
			return func() { close(hold) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				heal := fault(w.provider)
				w.connect(app.sender())
				w.connect(robot.sender())
				w.request(app.sender(), "robot")
				w.pass(time.Second)
				w.said("app:webrtc_credentials/turn_unavailable#1", "robot:webrtc_request#1")
				for _, s := range []struct {
					from who
					what wire.Type
				}{{robot, wire.TypeOffer}, {app, wire.TypeAnswer}} {
					if err := w.say(s.from.sender(), a(s.what)); err != nil {
						w.Fatal(err)
					}
				}
				w.said("app:webrtc_offer#1", "robot:webrtc_answer#1")
				w.pass(time.Minute)
				w.said()
				w.provider.become(nil, nil)
				heal()
				w.pass(retryRenewal)
				w.said("app:webrtc_credentials#1", "robot:webrtc_credentials#1")
				w.pass(turn.DefaultTTL * 8 / 10)
				w.said("app:webrtc_credentials#1", "robot:webrtc_credentials#1")
			})
		})
	}
}

// TestEndWhileRenewing: what arrives too late is given back.
func TestEndWhileRenewing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		hold := make(chan struct{})
		w.provider.become(nil, hold)
		w.pass(turn.DefaultTTL * 8 / 10)
		if err := w.say(app.sender(), a(wire.TypeClose)); err != nil {
			w.Fatal(err)
		}
		w.said("app:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1")
		close(hold)
		w.released()
	})
}

// TestResumeWithRestart: an app that has lost its path too gets an ICE restart,
// once there was an answer.
func TestResumeWithRestart(t *testing.T) {
	for state, want := range map[State]string{
		Offered:   "sibling:webrtc_resumed grace=0s sibling:webrtc_offer",
		Answered:  "sibling:webrtc_resumed grace=0s sibling:webrtc_credentials robot:webrtc_credentials",
		Connected: "sibling:webrtc_resumed grace=0s sibling:webrtc_credentials robot:webrtc_credentials",
	} {
		m := in(t, state)
		resume := from(sibling, wire.TypeResume)
		resume.Message.Restart = true
		if got := outcome(m, state, m.Handle(resume)); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}
