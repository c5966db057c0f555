package session

import (
	"context"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// note keeps the last message that somebody was told. The sessions of a test
// are one, so nobody writes at the same time.
func note(told map[string]wire.Message, name string) bus.Deliver {
	return func(_ context.Context, e bus.Envelope) error {
		told[name] = e.Message
		return nil
	}
}

// answered makes a session that waits for nothing.
func (w *world) answered() (releaseApp, releaseRobot func() bool) {
	w.Helper()
	releaseApp, releaseRobot = w.connect(app.sender()), w.connect(robot.sender())
	w.request(app.sender(), "robot")
	w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
	for _, m := range []struct {
		who  who
		kind wire.Type
	}{{robot, wire.TypeOffer}, {app, wire.TypeAnswer}} {
		if err := w.say(m.who.sender(), a(m.kind)); err != nil {
			w.Fatal(err)
		}
	}
	w.said("app:webrtc_offer#1", "robot:webrtc_answer#1")
	return releaseApp, releaseRobot
}

func (w *world) lose(s bus.Sender, release func() bool) {
	release()
	w.announce(bus.Lost, s)
}

func TestAppStaysAway(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		releaseApp, _ := w.answered()
		w.lose(app.sender(), releaseApp)
		w.pass(grace - time.Millisecond)
		w.said()
		w.pass(time.Millisecond)
		w.said("robot:webrtc_close/app_gone#1")
		w.released()
	})
}

func TestRobotStaysAway(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		_, releaseRobot := w.answered()
		w.lose(robot.sender(), releaseRobot)
		w.pass(grace)
		w.said("app:webrtc_close/robot_gone#1")
		w.released()
	})
}

func TestRobotComesBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		_, releaseRobot := w.answered()
		w.lose(robot.sender(), releaseRobot)
		w.pass(grace / 2)
		w.connect(robot.sender())
		w.announce(bus.Back, robot.sender())
		w.pass(2 * grace)
		w.said()
		if err := w.say(robot.sender(), a(wire.TypeOffer)); err != nil {
			w.Error(err)
		}
		w.said("app:webrtc_offer#1")
	})
}

// TestRobotLostBeforeItOffers: there is nothing to wait for.
func TestRobotLostBeforeItOffers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		release := w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.lose(robot.sender(), release)
		w.said("app:error/DEVICE_OFFLINE#1")
		w.released()
	})
}

// TestRobotReplacedBeforeItOffers: the new socket gets the request, too.
func TestRobotReplacedBeforeItOffers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.connect(robot.sender())
		w.announce(bus.Back, robot.sender())
		w.said("robot:webrtc_request#1")
		w.pass(wire.OfferTimeout) // of the first request
		w.said("app:error/OFFER_TIMEOUT#1", "robot:webrtc_close/offer_timeout#1")
		w.released()
	})
}

func TestResume(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		releaseApp, _ := w.answered()
		w.lose(app.sender(), releaseApp)
		w.connect(sibling.sender())
		w.connect(strangerApp.sender())
		if err := w.say(strangerApp.sender(), a(wire.TypeResume)); err != nil {
			w.Fatal(err)
		}
		w.said("stranger-app:error/SESSION_UNKNOWN#1")
		if err := w.say(sibling.sender(), a(wire.TypeResume)); err != nil {
			w.Fatal(err)
		}
		w.said("sibling:webrtc_resumed#1")
		w.pass(2 * grace)
		w.said()

		// The new socket is the viewer now: its loss counts, the old one's not,
		// and its next request supersedes this session.
		w.announce(bus.Lost, app.sender())
		w.pass(2 * grace)
		w.said()
		w.request(sibling.sender(), "robot")
		w.said("robot:webrtc_close/superseded#1", "sibling:webrtc_credentials#2", "robot:webrtc_request#2")
		if w.service.Count() != 1 {
			w.Errorf("%d sessions", w.service.Count())
		}
	})
}

// TestResumeLosesNewSocket: after a resume the new socket is waited for.
func TestResumeLosesNewSocket(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		releaseApp, _ := w.answered()
		w.lose(app.sender(), releaseApp)
		release := w.connect(sibling.sender())
		if err := w.say(sibling.sender(), a(wire.TypeResume)); err != nil {
			w.Fatal(err)
		}
		w.said("sibling:webrtc_resumed#1")
		w.lose(sibling.sender(), release)
		w.pass(grace)
		w.said("robot:webrtc_close/app_gone#1")
		w.released()
	})
}

// TestResumeOverOwnSession: a socket that watches the robot already and takes
// over another session keeps that one only.
func TestResumeOverOwnSession(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		releaseApp, _ := w.answered()
		w.lose(app.sender(), releaseApp)
		w.connect(sibling.sender())
		w.request(sibling.sender(), "robot")
		w.said("sibling:webrtc_credentials#2", "robot:webrtc_request#2")
		first := a(wire.TypeResume)
		first.SessionID = w.sessions[0]
		if err := w.bus.Send(w.Context(), bus.SessionAddress(first.SessionID), bus.Envelope{From: sibling.sender(), Message: first}); err != nil {
			w.Fatal(err)
		}
		w.said("sibling:webrtc_resumed#1", "robot:webrtc_close/superseded#2")
		if w.service.Count() != 1 {
			w.Errorf("%d sessions", w.service.Count())
		}
	})
}

// TestNoGraceTime: a lost socket ends the session at once.
func TestNoGraceTime(t *testing.T) {
	inWorld(t, func(c *Config, _ *provider) { c.Grace = 0 }, func(w *world) {
		releaseApp, _ := w.answered()
		w.lose(app.sender(), releaseApp)
		w.pass(time.Millisecond)
		w.said("robot:webrtc_close/app_gone#1")
		w.released()
	})
}

// TestResumeOnADyingSocket: a socket that is gone before the session has heard
// of it is a lost one.
func TestResumeOnADyingSocket(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		if err := w.say(sibling.sender(), a(wire.TypeResume)); err != nil {
			w.Fatal(err)
		}
		w.said()
		w.pass(grace)
		w.said("robot:webrtc_close/app_gone#1")
		w.released()
	})
}
