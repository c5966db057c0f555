package httpapi_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// accounts are those of the world, as the command line uses them.
func (w *world) accounts() *auth.Accounts {
	return auth.NewAccounts(w.store, auth.NewPasswords(2, 64), time.Now)
}

// person is a new account with a password, and a token for it.
func (w *world) person(email string) (store.User, string) {
	w.Helper()
	user, err := w.accounts().Register(w.Context(), email, "12345678")
	if err != nil {
		w.Fatal(err)
	}
	token, _ := w.tokens.Issue(user)
	return user, token
}

// must fails the test.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// isLoggedOut reads on to the close frame of an app whose session has been ended: it
// has been told before.
func (p *peer) isLoggedOut() {
	p.Helper()
	before := strings.Join(p.closedWith(wire.CloseAuthEnded), "\n")
	if strings.Count(before, `"reason":"unauthorized"`) != 1 {
		p.Errorf("told before it was closed: %s", before)
	}
}

// TestLogout ends what lives by the token, at once, and nothing else.
func TestLogout(t *testing.T) {
	w := newWorld(t)
	ann, token := w.user()
	bob, bobs := w.user()
	w.device("robot", ann)
	w.device("bobs", bob)
	other, _ := w.tokens.Issue(ann)
	robot := w.robot("robot")
	phone, tablet, neighbour := w.greeted(token), w.greeted(other), w.greeted(bobs)
	watch(phone, robot)
	goesOn := watch(tablet, robot)

	w.is(401, "POST", "/api/auth/logout", "", "")
	if a := w.is(200, "POST", "/api/auth/logout", token, ""); a.text != `{"success":true}` {
		t.Errorf("got %s", a.text)
	}
	phone.isLoggedOut()
	robot.hears("webrtc_close unauthorized")
	for _, call := range []string{"GET /api/auth/me", "POST /api/auth/refresh", "POST /api/auth/logout", "POST /api/turn/credentials", "GET /stats"} {
		method, path, _ := strings.Cut(call, " ")
		w.is(401, method, path, token, "")
	}
	if _, status := w.dial("/ws/app?token="+token, nil); status != 401 {
		t.Errorf("the token opens a socket: %d", status)
	}
	tablet.send(candidate(goesOn))
	robot.hears("webrtc_ice")
	neighbour.quiet()
	w.is(200, "GET", "/api/auth/me", other, "")
	if n := w.sessions.Count(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestLogoutOfARenewedSocket: a socket lives by the token it was given last.
func TestLogoutOfARenewedSocket(t *testing.T) {
	w, first, _ := house(t)
	second := w.is(200, "POST", "/api/auth/refresh", first, "").body["token"].(string) //nolint:forcetypeassert // fails the test
	robot := w.robot("robot")
	app := w.greeted(first)
	id := watch(app, robot)
	app.send(wire.Message{Type: wire.TypeAuth, Token: second})
	app.quiet()
	w.is(200, "POST", "/api/auth/logout", first, "")
	app.quiet()
	app.send(candidate(id))
	robot.hears("webrtc_ice")

	app.send(wire.Message{Type: wire.TypeAuth, Token: first})
	app.hears("error NOT_AUTHORIZED")
	w.is(200, "POST", "/api/auth/logout", second, "")
	app.isLoggedOut()
	robot.hears("webrtc_close unauthorized")
}

func TestPasswordChange(t *testing.T) {
	w := newWorld(t)
	ann, token := w.person("ann@example.com")
	w.device("robot", ann)
	robot := w.robot("robot")
	app := w.greeted(token)
	watch(app, robot)

	const change = `{"old_password":"12345678","new_password":"battery staple"}`
	w.is(401, "POST", "/api/auth/password", "", change)
	w.is(403, "POST", "/api/auth/password", token, `{"old_password":"12345679","new_password":"battery staple"}`)
	w.is(403, "POST", "/api/auth/password", token, ``)
	w.is(422, "POST", "/api/auth/password", token, `{"old_password":"12345678","new_password":"short"}`)
	app.quiet()

	a := w.is(200, "POST", "/api/auth/password", token, change)
	app.isLoggedOut()
	robot.hears("webrtc_close unauthorized")
	w.is(401, "GET", "/api/auth/me", token, "")
	fresh, _ := a.body["token"].(string)
	w.is(200, "GET", "/api/auth/me", fresh, "")
	w.app(fresh).isTold("robot", true)
	w.is(401, "POST", "/api/auth/login", "", `{"email":"ann@example.com","password":"12345678"}`)
	logged := w.is(200, "POST", "/api/auth/login", "", `{"email":"ann@example.com","password":"battery staple"}`)
	w.is(200, "GET", "/api/auth/me", logged.body["token"].(string), "") //nolint:forcetypeassert // fails the test
}

// TestDisabledAccount: by the command line, which is another process.
func TestDisabledAccount(t *testing.T) {
	w := newWorld(t)
	ann, token := w.person("ann@example.com")
	w.device("robot", ann)
	robot := w.robot("robot")
	app := w.greeted(token)
	watch(app, robot)
	w.must(w.accounts().Disable(t.Context(), ann))
	app.isLoggedOut()
	robot.hears("webrtc_close unauthorized")
	const login = `{"email":"ann@example.com","password":"12345678"}`
	wrong := w.is(401, "POST", "/api/auth/login", "", strings.Replace(login, "8", "9", 1))
	if a := w.is(401, "POST", "/api/auth/login", "", login); a.text != wrong.text {
		t.Errorf("a disabled account can be told from a wrong password: %s, %s", a.text, wrong.text)
	}
	w.is(401, "GET", "/api/auth/me", token, "")

	w.must(w.accounts().Enable(t.Context(), ann))
	w.is(401, "GET", "/api/auth/me", token, "")
	w.is(200, "POST", "/api/auth/login", "", login)
}

// TestRevokedIsToldAtOnce: what revokes something does not leave it to be found.
func TestRevokedIsToldAtOnce(t *testing.T) {
	var told atomic.Int64
	w := newWorld(t, func(o *options) { o.http.Revoked = func() { told.Add(1) } })
	ann, token := w.person("ann@example.com")
	w.device("robot", ann)
	code := w.code("robot")
	another, _ := w.tokens.Issue(ann)
	for i, change := range [][3]string{
		{"DELETE", "/api/user/devices/robot"},
		{"POST", "/api/device/pair", pairing(code)},
		{"POST", "/api/auth/logout"},
		{"POST", "/api/auth/password", `{"old_password":"12345678","new_password":"battery staple"}`},
	} {
		w.is(200, change[0], change[1], token, change[2])
		if n := told.Load(); n != int64(i+1) {
			t.Errorf("%s: told %d times, want %d", change[1], n, i+1)
		}
		if change[1] == "/api/auth/logout" {
			token = another
		}
	}
}

// TestPairedByOneWhoHangsUp: the robot is heard of all the same.
func TestPairedByOneWhoHangsUp(t *testing.T) {
	pairing, hangUp := context.WithCancel(t.Context())
	w := newWorld(t, func(o *options) { o.http.Revoked = hangUp })
	_, token := w.user()
	w.device("robot", nobody)
	code := w.code("robot")
	w.robot("robot")
	app := w.app(token)
	app.quiet()
	r := httptest.NewRequestWithContext(pairing, "POST", "/api/device/pair", strings.NewReader(`{"pairing_code":"`+code+`"}`))
	r.Header = bearer(token)
	w.api.ServeHTTP(httptest.NewRecorder(), r)
	app.isTold("robot", true)
}

// outdated is a store as it was before anything was revoked.
type outdated struct{ store.Store }

func (o outdated) Standing(ctx context.Context, id store.UserID, token store.TokenID) (store.User, bool, error) {
	u, _, err := o.Store.Standing(ctx, id, token)
	return u, false, err
}

// TestTokenRevokedUnheard: a token that was good at the upgrade, but not any more
// when the socket would have heard of its end.
func TestTokenRevokedUnheard(t *testing.T) {
	w := newWorld(t, func(o *options) { o.http.Guard = auth.NewGuard(o.tokens, outdated{o.http.Store}) })
	_, token := w.user()
	w.is(200, "POST", "/api/auth/logout", token, "")
	w.eventually("it has been carried out", func() bool { return strings.Contains(w.log.String(), "msg=revoked") })
	w.app(token).closedWith(wire.CloseAuthEnded)
}

// meddled is a store in which an account changes as soon as it has been read.
type meddled struct {
	store.Store

	meddle func(store.User)
}

func (m meddled) UserByEmail(ctx context.Context, email string) (store.User, error) {
	u, err := m.Store.UserByEmail(ctx, email)
	m.meddle(u)
	return u, err
}

func (m meddled) Standing(ctx context.Context, id store.UserID, token store.TokenID) (store.User, bool, error) {
	u, revoked, err := m.Store.Standing(ctx, id, token)
	m.meddle(u)
	return u, revoked, err
}

// TestAccountChangedMeanwhile: a password or token that was right when it was looked
// at gives no token once it is not. Else who has stolen one would keep the login by
// asking at the right moment.
func TestAccountChangedMeanwhile(t *testing.T) {
	changes := map[string]func(*world, store.User) error{
		"password": func(w *world, u store.User) error {
			_, err := w.accounts().SetPassword(w.Context(), u, "battery staple")
			return err
		},
		"disabled": func(w *world, u store.User) error { return w.accounts().Disable(w.Context(), u) },
		"removed":  func(w *world, u store.User) error { return w.store.DeleteUser(w.Context(), u.ID) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			var w *world
			var once sync.Once
			w = newWorld(t, func(o *options) {
				changing := meddled{o.http.Store, func(u store.User) {
					once.Do(func() { w.must(change(w, u)) })
				}}
				o.http.Accounts = auth.NewAccounts(changing, auth.NewPasswords(2, 64), time.Now)
				o.http.Guard = auth.NewGuard(o.tokens, changing)
			})
			w.person("ann@example.com")
			_, bobs := w.person("bob@example.com")
			w.is(401, "POST", "/api/auth/login", "", `{"email":"ann@example.com","password":"12345678"}`)
			once = sync.Once{}
			w.is(401, "POST", "/api/auth/refresh", bobs, "")
		})
	}
}

// TestUnpaired: the owner's sessions end, the apps hear that the robot is gone, and
// it is heard of no more, until it is somebody else's.
func TestUnpaired(t *testing.T) {
	w := newWorld(t)
	ann, token := w.user()
	_, bobs := w.user()
	w.device("robot", ann)
	code := w.code("robot")
	robot := w.robot("robot")
	app, neighbour := w.app(token), w.app(bobs)
	app.isTold("robot", true)
	watch(app, robot)
	w.is(200, "DELETE", "/api/user/devices/robot", token, "")
	told := map[wire.Type]wire.Message{} // in any order
	for range 2 {
		m := app.next()
		told[m.Type] = m
	}
	if online := told[wire.TypeRobotStatus].Online; told[wire.TypeClose].Reason != wire.ReasonUnauthorized || online == nil || *online {
		t.Errorf("told %v", told)
	}
	robot.hears("webrtc_close unauthorized")
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	app.hears("error robot NOT_AUTHORIZED")

	w.is(200, "POST", "/api/device/pair", bobs, pairing(code))
	neighbour.isTold("robot", true)
	id := watch(neighbour, robot)

	// Transferred by the command line: from one to the other.
	w.must(w.store.TransferDevice(t.Context(), "robot", ann.ID))
	neighbour.hears("webrtc_close unauthorized")
	neighbour.isTold("robot", false)
	app.isTold("robot", true)
	robot.hears("webrtc_close unauthorized")
	neighbour.send(wire.Message{Type: wire.TypeResume, SessionID: id})
	neighbour.hears("error SESSION_UNKNOWN")

	_ = robot.socket.Close()
	app.isTold("robot", false)
	neighbour.quiet()
}

// TestRobotGetsAnOwnerElsewhere: nobody tells this process, so the robot that is
// nobody's is looked up when it speaks.
func TestRobotGetsAnOwnerElsewhere(t *testing.T) {
	w := newWorld(t)
	ann, token := w.user()
	w.device("robot", store.User{})
	robot := w.robot("robot")
	app := w.app(token)
	app.quiet()
	w.must(w.store.TransferDevice(t.Context(), "robot", ann.ID))
	tick := time.NewTicker(50 * time.Millisecond) // slower than the limit of messages
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("its owner never hears of it")
		}
		robot.quiet()
		app.send(wire.Message{Type: wire.TypePing})
		if m := app.next(); m.Type == wire.TypeRobotStatus && m.DeviceID == "robot" && *m.Online {
			return
		}
	}
}

// TestDeviceRemoved: its socket is closed, and its owner hears that it is gone.
func TestDeviceRemoved(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	w.must(w.store.DeleteDevice(t.Context(), "robot"))
	robot.closedWith(wire.CloseAuthEnded)
	app.isTold("robot", false)
	w.eventually("it is gone", func() bool { return w.hub.Robots() == 0 })
}

func TestRegistrationClosed(t *testing.T) {
	w := newWorld(t, func(o *options) { o.http.Registration = config.RegistrationClosed })
	w.person("ann@example.com")
	const ann = `{"email":"ann@example.com","password":"12345678"}`
	closed := w.is(403, "POST", "/api/auth/register", "", ann)
	for _, body := range []string{``, `{`, strings.Replace(ann, "ann", "bob", 1)} {
		if a := w.is(403, "POST", "/api/auth/register", "", body); a.text != closed.text {
			t.Errorf("who has an account can be told: %s, %s", a.text, closed.text)
		}
	}
	w.is(200, "POST", "/api/auth/login", "", ann)
	if !strings.Contains(closed.text, "Registration is closed") {
		t.Errorf("got %s", closed.text)
	}
}
