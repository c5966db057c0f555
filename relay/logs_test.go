package relay_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

// What no log line may hold, and an address that none may hold at info.
const (
	planted      = "planted-" // begins everything that is secret
	password     = planted + "password"
	deviceSecret = planted + "device-secret"
	apiToken     = planted + "api-token"
	turnSecret   = planted + "turn-secret"
	jwtSecret    = planted + "jwt-secret-of-at-least-32-characters"
	secretSDP    = "v=0\r\na=ice-ufrag:planted-ufrag\r\na=ice-pwd:planted-pwd\r\na=fingerprint:sha-256 planted-fingerprint\r\n"
	secretHost   = "candidate:1 1 udp 2130706431 203.0.113.77 51234 typ host"
	mailAddress  = "ann.planted@example.com"
)

// printed is everything a relay logs.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(line)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// TestSecretsStayOutOfTheLog lets a relay see everything that is secret, in
// sessions that work and in all sorts of failures, and reads what it logged.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	log := &printed{}
	api, cfg := provider(t)
	s := &secretive{T: t, secrets: []string{
		planted, "ice-ufrag", "a=fingerprint", "203.0.113.77", "eyJ",
		wire.Sign(deviceSecret, "robot", time.Time{}), wire.Sign("another secret", "robot", time.Time{}),
	}}
	r, stop := serve(t, cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	token := s.enter(r, cfg)
	s.refusals(r, token)
	app := connect(t, r, client.App(func() string { return token }))
	robot := connect(t, r, client.Device("robot", deviceSecret))
	for m := app.next(t); m.Online == nil || !*m.Online; {
		m = app.next(t)
	}
	s.session(app, robot)
	api.SetFault(fakecloudflare.Fault{Status: 401})
	s.session(app, robot)
	s.ask(r, "POST", "/api/turn/credentials", token, "")
	stop()

	text := log.String()
	for _, secret := range s.secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the log has %q: %s", secret, text[max(0, at-100):min(len(text), at+50)])
		}
	}
	said := map[string]int{}
	for line := range strings.Lines(text) {
		message := strings.SplitN(line, "msg=", 2)[1]
		for _, begin := range []string{`"session requested"`, `"session ended"`, `"robot connected"`, `"app connected"`, `refused`, `"session refused"`} {
			if strings.HasPrefix(message, begin+" ") {
				said[begin]++
			}
		}
		if strings.HasPrefix(message, `"session `) && !strings.Contains(line, " device=") {
			t.Errorf("a line about a session does not name its robot: %s", line)
		}
		if !strings.Contains(line, "level=DEBUG") && strings.Contains(line, mailAddress) {
			t.Errorf("a mail address: %s", line)
		}
	}
	if want := 6; len(said) != want {
		t.Errorf("of %d sorts of lines there are %v:\n%s", want, said, text)
	}
	if n := strings.Count(text, `msg="session ended" session=`); n != 2 {
		t.Errorf("%d sessions have ended, want 2:\n%s", n, text)
	}
}

// secretive tells a relay secrets.
type secretive struct {
	*testing.T
	secrets []string
}

// provider is a TURN provider, and a relay's configuration with it.
func provider(t *testing.T) (*fakecloudflare.Server, relay.Config) {
	api, err := fakecloudflare.New(fakecloudflare.Config{
		KeyID: "key1", APIToken: apiToken, TURNSecret: turnSecret, ICEURLs: []string{"turn:192.0.2.1:3478?transport=udp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	cfg := config(t)
	cfg.JWTSecret = jwtSecret
	cfg.TURNKeyID, cfg.TURNAPIToken, cfg.TURNBaseURL = "key1", apiToken, server.URL
	cfg.TURNRevokeLinger = 0
	return api, cfg
}

// enter makes an account by the API, and a robot of it beside the relay.
func (s *secretive) enter(r *relay.Relay, cfg relay.Config) (token string) {
	s.Helper()
	body := `{"email":"` + mailAddress + `","password":"` + password + `"}`
	var account struct {
		Token  string       `json:"token"`
		UserID store.UserID `json:"user_id"`
	}
	s.ask(r, "POST", "/api/auth/register", "", body)
	if err := json.Unmarshal(s.ask(r, "POST", "/api/auth/login", "", body), &account); err != nil || account.Token == "" {
		s.Fatalf("no token: %v", err)
	}
	db, err := sqlstore.Open(s.Context(), cfg.DatabaseURL)
	if err != nil {
		s.Fatal(err)
	}
	device := store.Device{ID: "robot", Secret: deviceSecret, Owner: account.UserID, CreatedAt: time.Now()}
	for _, err := range []error{db.CreateDevice(s.Context(), device), db.Close()} {
		if err != nil {
			s.Fatal(err)
		}
	}
	return account.Token
}

// refusals are tried with secrets that are nearly right.
func (s *secretive) refusals(r *relay.Relay, token string) {
	s.Helper()
	body := func(email, word string) string { return `{"email":"` + email + `","password":"` + word + `"}` }
	s.ask(r, "POST", "/api/auth/register", "", body(mailAddress, password))
	s.ask(r, "POST", "/api/auth/login", "", body(mailAddress, password+"x"))
	s.ask(r, "POST", "/api/auth/login", "", body("eve.planted@example.com", password))
	s.ask(r, "POST", "/api/auth/login", "", `{"email":"`+mailAddress+`","password":["`+password)
	for _, bad := range []string{token + "x", planted + "token", "eyJ.eyJ.eyJ"} {
		s.ask(r, "GET", "/api/auth/me", bad, "")
		s.ask(r, "GET", "/ws/app?token="+bad, "", "")
	}
	s.ask(r, "GET", "/ws/app?token="+token, "", "") // right, but no upgrade
	for _, secret := range []string{deviceSecret, "another secret"} {
		s.ask(r, "GET", "/ws/device?device_id=robot&sig="+wire.Sign(secret, "robot", time.Time{}), "", "")
	}
	s.ask(r, "GET", "/ws/device?device_id="+mailAddress+"&sig="+planted, "", "")
	s.ask(r, "GET", "/"+planted+"path?"+planted+"query", "", "")
}

// session goes from the request to the end, with secrets in every message that
// can have any.
func (s *secretive) session(app, robot *peer) {
	s.Helper()
	says := func(from *peer, m wire.Message, to *peer, want wire.Type) wire.Message {
		s.Helper()
		if err := from.Send(m); err != nil {
			s.Fatal(err)
		}
		told := to.next(s.T)
		for told.Type == wire.TypeRobotStatus {
			told = to.next(s.T)
		}
		if told.Type != want {
			s.Fatalf("told %s, want %s", told, want)
		}
		return told
	}
	told := says(app, wire.Message{Type: wire.TypeRequest, DeviceID: "robot"}, app, wire.TypeCredentials)
	id := told.SessionID
	for _, server := range told.ICEServers.Servers {
		if server.Credential != "" {
			s.secrets = append(s.secrets, server.Credential, server.Username)
		}
	}
	ice := wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: &wire.Candidate{Candidate: secretHost}}
	sdp := func(kind string) *wire.SessionDescription {
		return &wire.SessionDescription{Type: kind, SDP: secretSDP}
	}
	if m := robot.next(s.T); m.Type != wire.TypeRequest {
		s.Fatalf("told %s", m)
	}
	says(robot, wire.Message{Type: wire.TypeOffer, SessionID: id, SDP: sdp("offer")}, app, wire.TypeOffer)
	says(app, wire.Message{Type: wire.TypeAnswer, SessionID: id, SDP: sdp("answer")}, robot, wire.TypeAnswer)
	says(app, ice, robot, wire.TypeICE)
	says(robot, ice, app, wire.TypeICE)
	says(app, wire.Message{Type: wire.TypeAuth, Token: planted + "token"}, app, wire.TypeError)
	says(app, wire.Message{Type: wire.TypeRequest, DeviceID: "nobodys"}, app, wire.TypeError)
	says(app, wire.Message{Type: wire.TypeResume, SessionID: "nonesuch"}, app, wire.TypeError)
	says(app, wire.Message{Type: wire.TypeClose, SessionID: id, Reason: secretSDP}, app, wire.TypeClose)
	if m := robot.next(s.T); m.Type != wire.TypeClose {
		s.Fatalf("told %s", m)
	}
}

// ask makes a request and returns the answer, whatever it is.
func (s *secretive) ask(r *relay.Relay, method, path, token, body string) []byte {
	s.Helper()
	_, text := ask(s.T, method, "http://"+r.Addr()+path, token, body)
	return text
}
