package httpapi_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/wire"
)

func limited(change func(*config.Limits)) func(*options) {
	return func(o *options) { change(&o.http.Limits) }
}

// TestUserMessageRate: one who opens many sockets does not say more for it.
func TestUserMessageRate(t *testing.T) {
	w, token, strangers := house(t, limited(func(l *config.Limits) {
		l.UserMessages = limit.Rate{Burst: 10, Every: time.Hour}
	}))
	first, second := w.app(token), w.app(token)
	for _, p := range []*peer{first, second} {
		p.isTold("robot", false)
		p.isTold("robot-2", false)
	}
	for range 5 {
		first.quiet()
		second.quiet()
	}
	for _, p := range []*peer{first, second} {
		p.send(wire.Message{Type: wire.TypePing})
		if m := p.hears("error RATE_LIMITED"); m.RetryAfter < 1 {
			t.Errorf("told %s", wire.Encode(m))
		}
	}
	w.app(strangers).quiet()
}

// TestTooManySockets: one more closes the oldest, for good. The others of the
// user stay, and nobody else's is touched.
func TestTooManySockets(t *testing.T) {
	w, token, strangers := house(t, limited(func(l *config.Limits) { l.UserSockets = 2 }))
	stranger := w.app(strangers)
	first, second := w.greeted(token), w.greeted(token)
	third := w.greeted(token)
	first.closedWith(wire.CloseSuperseded)
	second.quiet()
	_ = third.socket.Close()
	w.eventually("one has left", func() bool { return w.hub.Apps() == 2 }) // second and stranger
	fourth := w.greeted(token)
	for _, p := range []*peer{second, fourth, stranger} {
		p.quiet()
	}
}

// TestTooManySessions: the answer says when to ask again.
func TestTooManySessions(t *testing.T) {
	w, token, _ := house(t, limited(func(l *config.Limits) { l.DeviceSessions = 1 }))
	robot := w.robot("robot")
	first, second := w.greeted(token), w.greeted(token)
	watch(first, robot)
	second.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	if m := second.hears("error robot RATE_LIMITED"); m.RetryAfter != 60 {
		t.Errorf("told %s", wire.Encode(m))
	}
	robot.quiet()
}

// TestTooManyCandidates: those within the limit arrive, the others are answered.
func TestTooManyCandidates(t *testing.T) {
	w, token, _ := house(t, limited(func(l *config.Limits) { l.Candidates = 3 }))
	robot := w.robot("robot")
	app := w.greeted(token)
	id := watch(app, robot)
	for _, way := range []struct{ from, to *peer }{{app, robot}, {robot, app}} {
		for range 4 {
			way.from.send(candidate(id))
		}
		for range 3 {
			way.to.hears("webrtc_ice")
		}
		if m := way.from.hears("error RATE_LIMITED"); m.SessionID != id {
			t.Errorf("told %s", wire.Encode(m))
		}
		way.to.quiet()
	}
}

// TestFrameLimit: an operator may want less than the contract's size.
func TestFrameLimit(t *testing.T) {
	w, token, _ := house(t, limited(func(l *config.Limits) { l.FrameBytes = 16 << 10 }))
	app := w.app(token)
	app.raw(strings.Repeat(" ", 16<<10))
	app.raw(strings.Repeat(" ", 16<<10+1))
	before := app.closedWith(wire.CloseTooLarge)
	if last := before[len(before)-1]; !strings.Contains(last, "MESSAGE_TOO_LARGE") || !strings.Contains(before[len(before)-2], "BAD_MESSAGE") {
		t.Errorf("told %q", before)
	}
}

// TestLimitsOff: nothing that counts is refused, what is too large still is.
func TestLimitsOff(t *testing.T) {
	w, token, _ := house(t, limited(func(l *config.Limits) { l.Quotas = config.Quotas{} }))
	robot := w.robot("robot")
	app := w.greeted(token)
	for range 50 {
		app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
		app.hears("webrtc_credentials")
	}
	for range 1000 {
		app.quiet()
	}
	for range 100 {
		w.is(422, "POST", "/api/auth/register", "", `{"email":"ann@example.com","password":"short"}`)
		w.is(200, "POST", "/api/turn/credentials", token, "")
	}
	for range 40 {
		w.app(token).isTold("robot", true)
	}
	_ = robot.socket.Close()
	app.raw(strings.Repeat(" ", wire.MaxFrame+1))
	app.closedWith(wire.CloseTooLarge)
	w.is(422, "POST", "/api/auth/login", "", `{"email":"`+strings.Repeat("x", 8<<10)+`"}`)
}

// TestLoginLimitBehindProxy: a proxy's clients are limited one by one, and who
// claims to be a proxy is not believed.
func TestLoginLimitBehindProxy(t *testing.T) {
	const body = `{"email":"ann%d@example.com","password":"short"}`
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		want    int // of the second client's login
	}{
		"trusted": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 422}, "not trusted": {nil, 429},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *options) {
				o.http.Proxies, o.http.Limits.AddressLogins = c.proxies, limit.Rate{Burst: 1, Every: time.Hour}
			})
			for i, try := range []struct {
				forwarded string
				want      int
			}{{"203.0.113.1", 422}, {"203.0.113.1", 429}, {"203.0.113.2", c.want}, {"203.0.113.1, 203.0.113.2", 429}} {
				a := w.ask("POST", "/api/auth/register", http.Header{"X-Forwarded-For": {try.forwarded}}, fmt.Sprintf(body, i))
				if a.status != try.want {
					t.Errorf("no. %d, from %s: %d, want %d", i, try.forwarded, a.status, try.want)
				}
			}
			w.ask("GET", "/api/auth/me", http.Header{"X-Forwarded-For": {"203.0.113.2"}}, "")
			if seen := strings.Contains(w.log.String(), "address=203.0.113.2"); seen != (c.proxies != nil) {
				t.Errorf("the log:\n%s", w.log)
			}
		})
	}
}

// TestManyRobots: somebody who owns more robots than a socket's queue has room
// for hears of each.
func TestManyRobots(t *testing.T) {
	w := newWorld(t)
	user, token := w.user()
	const robots = 1000
	for i := range robots {
		w.device(wire.DeviceID(fmt.Sprintf("robot-%d", i)), user)
	}
	app := w.app(token)
	heard := map[wire.DeviceID]bool{}
	for range robots {
		heard[app.next().DeviceID] = true
	}
	if len(heard) != robots {
		t.Errorf("heard of %d robots", len(heard))
	}
	app.quiet()
}
