package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// relay is a relay's HTTP API with one account and no sockets.
type relay struct {
	token   string // that is good
	devices []simapp.DeviceStatus
	servers wire.ICEServers
	turn    int           // status of the credentials' endpoint; 0: fine
	ready   int           // status of /ready; 0: fine
	health  int           // status of /health; 0: fine
	ahead   time.Duration // of its clock
}

func (r relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Date", time.Now().Add(r.ahead).UTC().Format(http.TimeFormat))
	if strings.HasPrefix(q.URL.Path, "/api/") && q.Header.Get("Authorization") != "Bearer "+r.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	status := map[string]int{"/health": r.health, "/ready": r.ready, "/api/turn/credentials": r.turn, "/ws/app": http.StatusNotFound}[q.URL.Path]
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	switch q.URL.Path {
	case "/api/user/devices":
		say(w, map[string]any{"devices": r.devices})
	case "/api/turn/credentials":
		say(w, r.servers)
	}
}

func say(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

// token makes a login that says when it ends.
func token(t *testing.T, ends time.Duration) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": time.Now().Add(ends).Unix()}).SignedString([]byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// examine runs all checks against a relay, but for the viewing.
func examine(t *testing.T, r relay, change func(*Config)) []Result {
	t.Helper()
	server := httptest.NewServer(r)
	defer server.Close()
	cfg := Config{
		RelayURL: server.URL, Log: slog.New(slog.DiscardHandler), patience: time.Second,
		Login:  func(context.Context) (string, error) { return r.token, nil },
		Advise: func(err error) string { return "ADVICE on " + err.Error() },
	}
	if change != nil {
		change(&cfg)
	}
	results := Run(t.Context(), cfg)
	for _, result := range results {
		if result.Outcome == Failed && result.Text == "" {
			t.Errorf("%s says nothing", result.Check)
		}
		if strings.Contains(result.Text+result.Advice, "hush") || r.token != "" && strings.Contains(result.Text+result.Advice, r.token) {
			t.Errorf("a secret is in %+v", result)
		}
	}
	return results
}

// of returns the results of one check.
func of(results []Result, name string) Result {
	if i := slices.IndexFunc(results, func(r Result) bool { return r.Check == name }); i >= 0 {
		return results[i]
	}
	return Result{Text: "there is no such result"}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	one := []simapp.DeviceStatus{{DeviceID: "wimz_1", Online: true}, {DeviceID: "wimz_2"}}
	day := token(t, 25*time.Hour)
	well := relay{token: day, devices: one}
	for name, c := range map[string]struct {
		relay  relay
		change func(*Config)
		check  string
		want   Outcome
		text   string
		advice string
	}{
		"a malformed address":    {well, func(c *Config) { c.RelayURL = "ftp://h" }, "address", Failed, "ws://host:port", ""},
		"an address of no host":  {well, func(c *Config) { c.RelayURL = "ws://:80" }, "address", Failed, "no host", "wss://HOST"},
		"an address":             {well, nil, "dns", OK, "nothing to look up", ""},
		"a refused port":         {well, func(c *Config) { c.RelayURL = "ws://127.0.0.1:1" }, "tcp", Failed, "port 1: nobody listens there", "the relay runs"},
		"what rests on the port": {well, func(c *Config) { c.RelayURL = "ws://127.0.0.1:1" }, "robots", Skipped, `the check of "tcp" failed`, ""},
		"no TLS asked for":       {well, nil, "tls", Skipped, "in the clear", ""},
		"TLS where there is none": {
			well, func(c *Config) { c.RelayURL = strings.Replace(c.RelayURL, "http:", "wss:", 1) },
			"tls", Failed, "does not speak TLS", "use ws://",
		},
		"no relay at all":    {relay{health: 404}, nil, "health", Failed, "404 Not Found", "a relay that listens there"},
		"TLS, not asked for": {relay{health: 400}, nil, "health", Failed, "400 Bad Request", "use wss://"},
		"a redirect":         {relay{health: 308}, nil, "health", Failed, "elsewhere (308)", "wss://"},
		"a relay at a loss":  {relay{token: day, devices: one, ready: 503}, nil, "ready", Failed, "503", "database"},
		"a relay":            {well, nil, "ready", OK, "ready", ""},
		"the same time":      {well, nil, "clock", OK, "agrees", ""},
		"a clock behind":     {relay{ahead: time.Hour}, nil, "clock", Failed, "59 minutes behind", "set the clock"},
		"a clock before":     {relay{ahead: -time.Hour}, nil, "clock", Failed, "59 minutes ahead", "set the clock"},
		"nobody logged in":   {well, loginIs("", errors.New("nobody is logged in")), "login", Failed, "nobody is logged in", "ADVICE"},
		"a wrong token":      {well, loginIs("bogus", nil), "login", Failed, "no token of a login", "log in again"},
		"a token too old":    {well, loginIs(token(t, -72*time.Hour), nil), "login", Failed, "it ended 3 days ago", "log in again"},
		"a token ended":      {well, loginIs(token(t, time.Hour), nil), "login", Failed, "ended early", "log in again"},
		"a token":            {well, nil, "login", OK, "another 24 hours", ""},
		"a token soon over":  {relay{token: token(t, 30*time.Minute)}, nil, "login", OK, "another 29 minutes", "before it ends"},
		"an opaque token":    {relay{token: "opaque"}, nil, "login", OK, "knows the login", ""},
		"no robot":           {relay{token: day}, nil, "robots", Failed, "no robot", "simapp pair"},
		"an offline robot":   {relay{token: day, devices: one[1:]}, nil, "robots", Failed, "wimz_2: offline", "ADVICE on  (DEVICE_OFFLINE)"},
		"one of two offline": {well, nil, "robots", OK, "wimz_1: online; wimz_2: offline", ""},
		"that one named":     {well, func(c *Config) { c.Device = "wimz_2" }, "robots", Failed, "wimz_2: offline", "ADVICE"},
		"a robot of others":  {well, func(c *Config) { c.Device = "wimz_9" }, "robots", Failed, "wimz_9 is none", "paired"},
		"no WebSockets":      {well, nil, "socket", Failed, "404", "ADVICE"},
		"no viewing without": {well, func(c *Config) { c.Video = true }, "video", Skipped, `the check of "socket" failed`, ""},
		"no TURN provider":   {relay{token: day, turn: 502}, nil, "credentials", Failed, "no TURN servers for us: Bad Gateway", "relay/deploy"},
		"no TURN server":     {well, nil, "credentials", Failed, "names no TURN server", "relay/deploy"},
		"and so no TURN":     {well, nil, "turn", Skipped, `the check of "credentials" failed`, ""},
		"limits":             {relay{token: day, turn: 429}, nil, "credentials", Failed, "429", "ADVICE"},
	} {
		t.Run(name, func(t *testing.T) {
			got := of(examine(t, c.relay, c.change), c.check)
			if got.Outcome != c.want || !strings.Contains(got.Text, c.text) || !strings.Contains(got.Advice, c.advice) {
				t.Errorf("%s: %+v", c.check, got)
			}
			if c.advice == "" && got.Advice != "" {
				t.Errorf("needless advice: %s", got.Advice)
			}
		})
	}
}

func loginIs(token string, err error) func(*Config) {
	return func(c *Config) { c.Login = func(context.Context) (string, error) { return token, err } }
}

// TestEachIsToldAtOnce: results come one by one, in order, and an end in between is
// no fault of anything.
func TestEachIsToldAtOnce(t *testing.T) {
	var told []string
	results := examine(t, relay{}, func(c *Config) { c.Done = func(r Result) { told = append(told, r.Check) } })
	if len(told) != len(results) || told[0] != "address" || told[3] != "tls" || told[len(told)-1] != "turn" {
		t.Errorf("told %v of %d", told, len(results))
	}
	server := httptest.NewServer(relay{})
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	results = Run(ctx, Config{RelayURL: server.URL, Login: func(ctx context.Context) (string, error) {
		cancel()
		return "", ctx.Err()
	}})
	if last := results[len(results)-1]; last.Check != "clock" || !Healthy(results) {
		t.Errorf("cut off at %+v", last)
	}
}

// TestTime: whoever does not answer is given up, and what comes after the end of all
// time is skipped.
func TestTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // nothing was said
	ask := func(v *visit) Result { return v.look(t.Context(), check{name: "health", look: v.health}) }
	v := &visit{Config: Config{patience: 50 * time.Millisecond}, end: time.Now().Add(time.Minute), causes: map[string]string{}}
	v.at.base.Scheme, v.at.base.Host = "http", silent.Addr().String()
	if r := ask(v); r.Outcome != Failed || r.Text != "no answer in time" || r.TookMS < 40 || r.TookMS > 5000 {
		t.Errorf("%+v", r)
	}
	v.end = time.Now().Add(-time.Second)
	v.do(t.Context(), check{name: "health", look: v.health})
	v.do(t.Context(), check{name: "ready", needs: []string{"health"}, look: v.ready})
	if len(v.results) != 2 || v.results[0].Outcome != Skipped || !strings.Contains(v.results[0].Text, "45s") || v.results[1].Outcome != Skipped {
		t.Errorf("%+v", v.results)
	}
	if !Healthy(v.results) || Healthy([]Result{{Outcome: OK}, {Outcome: Failed}}) {
		t.Error("who is healthy?")
	}
}
