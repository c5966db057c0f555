package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

func user(name store.UserID) bus.Sender {
	return bus.Sender{Party: wire.App, Peer: "app", User: name}
}

// TestRefusedRequests: every failed request ends in exactly one answer, and
// holds nothing.
func TestRefusedRequests(t *testing.T) {
	for name, c := range map[string]struct {
		user   store.UserID
		device wire.DeviceID
		online []wire.DeviceID
		want   string
	}{
		"robot of another":          {"stranger", "robot", []wire.DeviceID{"robot"}, "app:error/NOT_AUTHORIZED"},
		"robot that does not exist": {"owner", "nonesuch", []wire.DeviceID{"robot"}, "app:error/NOT_AUTHORIZED"},
		"unknown user":              {"nobody", "robot", []wire.DeviceID{"robot"}, "app:error/NOT_AUTHORIZED"},
		"no robot at all":           {"stranger", "", nil, "app:error/NO_DEVICE"},
		"which of two":              {"rich", "", []wire.DeviceID{"robot", "robot-2"}, "app:error/NO_DEVICE"},
		"offline":                   {"owner", "robot", nil, "app:error/DEVICE_OFFLINE"},
		"only one, offline":         {"owner", "", []wire.DeviceID{"robot-2"}, "app:error/DEVICE_OFFLINE"},
		"the store is broken":       {"unlucky", "robot", []wire.DeviceID{"robot"}, "app:error/INTERNAL"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.connect(user(c.user))
				for _, id := range c.online {
					w.connect(bus.Sender{Party: wire.Robot, Device: id})
				}
				w.request(user(c.user), c.device)
				w.said(c.want)
				w.released()
			})
		})
	}
}

// TestSession is one from the request to its end, with the only device.
func TestSession(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		for _, step := range []struct {
			who  who
			kind wire.Type
			want []string
		}{
			{robot, wire.TypeOffer, []string{"app:webrtc_offer#1"}},
			{robot, wire.TypeICE, []string{"app:webrtc_ice#1"}},
			{app, wire.TypeAnswer, []string{"robot:webrtc_answer#1"}},
			{app, wire.TypeICE, []string{"robot:webrtc_ice#1"}},
			{robot, wire.TypeHeartbeat, nil},
		} {
			if err := w.say(step.who.sender(), a(step.kind)); err != nil {
				w.Fatal(err)
			}
			w.said(step.want...)
		}
		w.pass(turn.DefaultTTL / 2) // nothing expires in a session that is up
		w.said()
		if w.service.Count() != 1 {
			w.Errorf("%d sessions", w.service.Count())
		}
		if err := w.say(app.sender(), a(wire.TypeClose)); err != nil {
			w.Fatal(err)
		}
		w.said("app:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1")
		w.service.Wait()
		if err := w.say(robot.sender(), a(wire.TypeICE)); err == nil {
			w.Error("a session that has ended has an address")
		}
	})
}

// TestSilence: who does not answer in time ends the request.
func TestSilence(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.pass(wire.OfferTimeout - time.Millisecond)
		w.said()
		w.pass(time.Millisecond)
		w.said("app:error/OFFER_TIMEOUT#1", "robot:webrtc_close/offer_timeout#1")

		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#2", "robot:webrtc_request#2")
		if err := w.say(robot.sender(), a(wire.TypeOffer)); err != nil {
			w.Fatal(err)
		}
		w.said("app:webrtc_offer#2")
		w.pass(wire.AnswerTimeout)
		w.said("app:error/ANSWER_TIMEOUT#2", "robot:webrtc_close/answer_timeout#2")
		w.released()
	})
}

func TestTURNFails(t *testing.T) {
	failing := func(required bool) func(*Config, *provider) {
		return func(c *Config, p *provider) {
			c.TURNRequired = required
			p.err = &turn.Error{Kind: turn.KindStatus, Status: 401}
		}
	}
	t.Run("required", func(t *testing.T) {
		inWorld(t, failing(true), func(w *world) {
			w.connect(app.sender())
			w.connect(robot.sender())
			w.request(app.sender(), "robot")
			w.said("app:error/TURN_ERROR")
			w.released()
		})
	})
	t.Run("degraded", func(t *testing.T) {
		inWorld(t, failing(false), func(w *world) {
			w.connect(app.sender())
			w.connect(robot.sender())
			w.request(app.sender(), "robot")
			w.said("app:webrtc_credentials/turn_unavailable#1", "robot:webrtc_request#1")
		})
	})
	t.Run("too slow", func(t *testing.T) {
		inWorld(t, func(c *Config, p *provider) { c.TURNRequired, p.hold = true, make(chan struct{}) }, func(w *world) {
			w.connect(app.sender())
			w.connect(robot.sender())
			w.request(app.sender(), "robot")
			w.pass(2 * time.Second)
			w.said("app:error/TURN_ERROR")
			w.released()
		})
	})
	t.Run("none configured", func(t *testing.T) {
		inWorld(t, func(c *Config, _ *provider) {
			pool, _ := turn.NewPool(t.Context(), turn.PoolConfig{Provider: turn.None{}, IdentifierKey: []byte("k")})
			c.Credentials = pool
		}, func(w *world) {
			w.connect(app.sender())
			w.connect(robot.sender())
			w.request(app.sender(), "robot")
			w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		})
	})
}

// TestEndedWhilePreparing: an end before the robot was asked. Who still waits gets
// the one answer, and the robot hears of nothing.
func TestEndedWhilePreparing(t *testing.T) {
	end := func(reason wire.Reason) func(*world) {
		return func(w *world) { w.service.running[viewer{"owner", "app", "robot"}].stop(reason) }
	}
	for name, c := range map[string]struct {
		happens func(*world)
		want    []string
	}{
		"the app is lost":   {func(w *world) { w.announce(bus.Lost, app.sender()) }, nil},
		"the robot is lost": {func(w *world) { w.announce(bus.Lost, robot.sender()) }, []string{"app:error/DEVICE_OFFLINE"}},
		"unpaired":          {end(wire.ReasonUnauthorized), []string{"app:error/NOT_AUTHORIZED"}},
		"superseded":        {end(wire.ReasonSuperseded), nil},
		"the relay stops":   {func(w *world) { w.stop() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(_ *Config, p *provider) { p.hold = make(chan struct{}) }, func(w *world) {
				w.connect(app.sender())
				w.connect(robot.sender())
				w.request(app.sender(), "robot")
				w.said()
				c.happens(w)
				close(w.provider.hold)
				w.said(c.want...)
				if name != "the relay stops" { // its credentials are left to expire
					w.released()
				}
			})
		})
	}
}

// TestTooLate: what reaches a session while it ends, or after that, has its answer.
func TestTooLate(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.answered()
		ended := w.service.running[viewer{"owner", "app", "robot"}]
		late := from(app, wire.TypeResume)
		late.Message.SessionID = ended.id
		for _, e := range []bus.Envelope{from(app, wire.TypeClose), late} { // one behind the other
			if err := w.bus.Send(w.Context(), bus.SessionAddress(ended.id), e); err != nil {
				t.Fatal(err)
			}
		}
		w.said("app:webrtc_close/app_left#1", "robot:webrtc_close/app_left#1", "app:error/SESSION_UNKNOWN#1")
		w.service.Wait()
		for range 100 { // it is up to chance which way each takes
			if err := ended.deliver(w.Context(), late); !errors.Is(err, bus.ErrNobody) {
				w.said("app:error/SESSION_UNKNOWN#1")
			}
		}
		w.said()
	})
}

// TestStoreHangs: it is not waited for for ever.
func TestStoreHangs(t *testing.T) {
	inWorld(t, func(c *Config, _ *provider) { c.Owners = &slowOwners{nil, make(chan struct{})} }, func(w *world) {
		w.connect(app.sender())
		began := time.Now()
		w.request(app.sender(), "robot")
		w.said("app:error/INTERNAL")
		if took := time.Since(began); took > lookupTimeout {
			t.Errorf("took %s", took)
		}
	})
}

// TestSupersede: the robot is free of the old session before it is asked for
// the new one, and the app hears of the new one only.
func TestSupersede(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.request(app.sender(), "robot")
		w.said("robot:webrtc_close/superseded#1", "app:webrtc_credentials#2", "robot:webrtc_request#2")
		if w.service.Count() != 1 {
			w.Errorf("%d sessions", w.service.Count())
		}
	})
}

// TestSupersedeWhilePreparing: of several requests in a row only the last is
// heard of, however slow the provider is.
func TestSupersedeWhilePreparing(t *testing.T) {
	inWorld(t, func(_ *Config, p *provider) { p.hold = make(chan struct{}) }, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		first := w.service.running[viewer{"owner", "app", "robot"}]
		for range 4 {
			w.request(app.sender(), "robot")
		}
		w.said()
		select {
		case <-first.ended:
		default:
			w.Error("a superseded request still waits for the provider")
		}
		close(w.provider.hold)
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		if minted, _ := w.provider.counts(); minted != 1 || w.service.Count() != 1 {
			w.Errorf("%d credentials, %d sessions", minted, w.service.Count())
		}
	})
}

// TestTwoViewers: two sockets do not supersede each other.
func TestTwoViewers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(sibling.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.request(sibling.sender(), "robot")
		w.said("sibling:webrtc_credentials#2", "robot:webrtc_request#2")
		if w.service.Count() != 2 {
			w.Errorf("%d sessions", w.service.Count())
		}
	})
}

// TestTooManySessions of one robot, and of one user: who asks again in place of
// a session of theirs is none more, and who leaves makes room.
func TestTooManySessions(t *testing.T) {
	second := bus.Sender{Party: wire.App, Peer: "second", User: "rich"}
	for name, limits := range map[string]config.Quotas{
		"of a robot": {DeviceSessions: 1}, "of a user": {UserSessions: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *Config, _ *provider) { c.Limits = limits }, func(w *world) {
				first := bus.Sender{Party: wire.App, Peer: "first", User: "rich"}
				for _, s := range []bus.Sender{first, second, robot.sender()} {
					w.connect(s)
				}
				w.request(first, "robot")
				w.said("first:webrtc_credentials#1", "robot:webrtc_request#1")
				w.request(second, "robot")
				w.said("second:error/RATE_LIMITED")
				w.request(first, "robot")
				w.said("robot:webrtc_close/superseded#1", "first:webrtc_credentials#2", "robot:webrtc_request#2")
				w.request(second, "robot")
				w.said("second:error/RATE_LIMITED")
				if err := w.say(first, a(wire.TypeClose)); err != nil {
					w.Fatal(err)
				}
				w.said("first:webrtc_close/app_left#2", "robot:webrtc_close/app_left#2")
				w.request(second, "robot")
				w.said("second:webrtc_credentials#3", "robot:webrtc_request#3")
			})
		})
	}
}

// TestRelayStops: sessions end without a word, and their credentials are left
// to expire, because the media goes on.
func TestRelayStops(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.connect(app.sender())
		w.connect(robot.sender())
		w.request(app.sender(), "robot")
		w.said("app:webrtc_credentials#1", "robot:webrtc_request#1")
		w.stop()
		w.service.Wait()
		w.said()
		if minted, revoked := w.provider.counts(); minted != 1 || revoked != 0 {
			w.Errorf("%d minted, %d revoked", minted, revoked)
		}
	})
}

// TestCredentialsAreTold: both hear the same servers, with their life.
func TestCredentialsAreTold(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		told := map[string]wire.Message{}
		for _, one := range []who{app, robot} {
			address := bus.AppAddress("app")
			if one == robot {
				address = bus.RobotAddress("robot")
			}
			w.bus.Claim(address, note(told, names[one]), nil)
		}
		w.request(app.sender(), "robot")
		w.said()
		for name, m := range told {
			if m.ExpiresIn != 3600 || !slices.Equal(m.ICEServers.Servers[0].URLs, wire.URLs{"turn:t.example:3478"}) ||
				m.ICEServers.Servers[0].Credential != "word" || !m.SessionID.Valid() {
				w.Errorf("the %s is told %s", name, wire.Encode(m))
			}
		}
		if len(told) != 2 || told["app"].SessionID != told["robot"].SessionID {
			w.Errorf("told: %v", told)
		}
	})
}
