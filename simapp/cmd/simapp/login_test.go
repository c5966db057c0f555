package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/cli"
)

// home gives the test a folder of settings of its own, and nothing in the
// environment. It returns where the login is kept.
func home(t *testing.T) string {
	t.Helper()
	t.Setenv("SIMAPP_TOKEN", "")
	t.Setenv("SIMAPP_RELAY", "")
	folder := filepath.Join(t.TempDir(), "settings")
	t.Setenv("XDG_CONFIG_HOME", folder)
	return filepath.Join(folder, "simapp", "login.json")
}

// tokenFor returns a token with so much left of an hour.
func tokenFor(t *testing.T, left time.Duration) string {
	t.Helper()
	end := time.Now().Add(left)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		IssuedAt: jwt.NewNumericDate(end.Add(-time.Hour)), ExpiresAt: jwt.NewNumericDate(end),
	}).SignedString([]byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tokenRelay logs everybody in with a token and knows which ones are good.
func tokenRelay(t *testing.T, token string, good map[string]bool) (url string) {
	t.Helper()
	who := func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }
	guarded := func(serve http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !good[who(r)] {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			serve(w, r)
		}
	}
	give := func(w http.ResponseWriter, _ *http.Request) {
		good[token] = true
		_, _ = io.WriteString(w, `{"token":"`+token+`"}`)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", give)
	mux.HandleFunc("POST /api/auth/register", give)
	mux.HandleFunc("POST /api/auth/refresh", guarded(give))
	mux.HandleFunc("POST /api/auth/logout", guarded(func(w http.ResponseWriter, r *http.Request) {
		delete(good, who(r))
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	mux.HandleFunc("DELETE /api/user/devices/wimz_1", guarded(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestLoginIsKeptForTheOthersOnly(t *testing.T) {
	file := home(t)
	good := map[string]bool{}
	relay := tokenRelay(t, tokenFor(t, time.Hour), good)
	status, stdout, stderr := start(t, "right horse\n", "login", "--relay", relay, "--email", "a@b.c", "--password-stdin")
	if status != cli.ExitOK || !strings.Contains(stdout, "as a@b.c") {
		t.Fatalf("status %d, %s%s", status, stdout, stderr)
	}
	for name, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "horse") || !strings.Contains(string(data), relay) {
		t.Errorf("%v, %s", err, data)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("left beside it: %v, %v", left, err)
	}
	if status, _, stderr = start(t, "", "unpair", "wimz_1"); status != cli.ExitOK {
		t.Errorf("the kept login is not used: %s", stderr)
	}
	other := tokenRelay(t, "", good)
	if status, _, stderr = start(t, "", "unpair", "wimz_1", "--relay", other); status == cli.ExitOK || !strings.Contains(stderr, "at another relay") {
		t.Errorf("the token went to another relay: %s", stderr)
	}
	if status, _, _ = start(t, "", "unpair", "wimz_1", "--token", "bad"); status == cli.ExitOK {
		t.Error("--token does not win")
	}
	t.Setenv("SIMAPP_TOKEN", "bad")
	if status, _, _ = start(t, "", "unpair", "wimz_1"); status == cli.ExitOK {
		t.Error("the environment does not win")
	}
	t.Setenv("SIMAPP_TOKEN", "")
	if status, stdout, stderr = start(t, "", "logout"); status != cli.ExitOK || len(good) != 0 {
		t.Errorf("status %d, the token is good: %v, %s%s", status, good, stdout, stderr)
	}
	if _, err = os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("still kept: %v", err)
	}
	for _, args := range [][]string{{"unpair", "wimz_1", "--relay", relay}, {"unpair", "wimz_1"}, {"logout"}} {
		if status, _, stderr = start(t, "", args...); status == cli.ExitOK || !strings.Contains(stderr, "simapp login") {
			t.Errorf("%v: status %d, %s", args, status, stderr)
		}
	}
}

func TestLoginNearItsEndIsRefreshed(t *testing.T) {
	for name, c := range map[string]struct {
		left  time.Duration
		good  bool // the relay takes the old token
		fresh bool // it is replaced
		ok    bool
		want  string
	}{
		"young":                {left: 40 * time.Minute, good: true, ok: true},
		"near its end":         {left: 10 * time.Minute, good: true, fresh: true, ok: true},
		"near, but void":       {left: 10 * time.Minute, want: "log in again"},
		"over":                 {left: -time.Minute, good: true, want: "run simapp login again"},
		"young, but void":      {left: 40 * time.Minute, want: "log in again"},
		"over, relay is asked": {left: -time.Hour, want: "run simapp login again"},
	} {
		t.Run(name, func(t *testing.T) {
			home(t)
			old, fresh := tokenFor(t, c.left), tokenFor(t, time.Hour)
			k := kept{Relay: tokenRelay(t, fresh, map[string]bool{old: c.good}), Email: "a@b.c", Token: old}
			if err := k.write(); err != nil {
				t.Fatal(err)
			}
			status, _, stderr := start(t, "", "unpair", "wimz_1")
			if (status == cli.ExitOK) != c.ok || !strings.Contains(stderr, c.want) {
				t.Errorf("status %d, %s", status, stderr)
			}
			if k, err := readKept(); err != nil || (k.Token == fresh) != c.fresh || k.Email != "a@b.c" {
				t.Errorf("kept %+v, %v", k, err)
			}
			if strings.Contains(stderr, old) {
				t.Error("the token is in the error")
			}
		})
	}
}

// fakePhone notes the tokens it is given.
type fakePhone struct {
	tokens chan string
	done   chan struct{}
}

func (p *fakePhone) Renew(token string) error { p.tokens <- token; return nil }
func (p *fakePhone) Done() <-chan struct{}    { return p.done }

func TestPhoneIsGivenFreshTokens(t *testing.T) {
	home(t)
	const fresh = "FRESH"
	good := map[string]bool{}
	relay := tokenRelay(t, fresh, good)
	synctest.Test(t, func(t *testing.T) {
		old := tokenFor(t, time.Hour)
		good[old] = true
		if err := (kept{Relay: relay, Token: old}).write(); err != nil {
			t.Fatal(err)
		}
		phone := &fakePhone{tokens: make(chan string), done: make(chan struct{})}
		c, ended := &account{relayFlag: relayFlag{relay}}, make(chan struct{})
		began := time.Now()
		go func() {
			defer close(ended)
			c.renew(t.Context(), &app{log: slog.New(slog.DiscardHandler)}, phone)
		}()
		if got := <-phone.tokens; got != fresh || time.Since(began) != 45*time.Minute {
			t.Errorf("after %s it is given the fresh one: %v", time.Since(began), got == fresh)
		}
		close(phone.done)
		<-ended
	})
}

func TestLogoutForgetsInAnyCase(t *testing.T) {
	file := home(t)
	for name, c := range map[string]struct {
		content string
		status  int
		want    string
	}{
		"relay away": {`{"relay":"ws://127.0.0.1:1","token":"T"}`, exitUnreachable, "good until its end"},
		"damaged":    {`{"relay"`, cli.ExitFailed, "damaged"},
		"void":       {`{"relay":"` + tokenRelay(t, "", nil) + `","token":"T"}`, cli.ExitOK, "logged out"},
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := start(t, "", "logout")
		if status != c.status || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%s: status %d, %s%s", name, status, stdout, stderr)
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s: still kept", name)
		}
	}
}

func TestNobodyLogsInWhoseLoginCannotBeKept(t *testing.T) {
	good := map[string]bool{}
	relay := tokenRelay(t, "T", good)
	for name, folder := range map[string]string{"a file in the way": os.Args[0], "no home": ""} {
		home(t)
		t.Setenv("XDG_CONFIG_HOME", folder)
		t.Setenv("HOME", "")
		status, stdout, stderr := start(t, "right horse\n", "register", "--relay", relay, "--email", "a@b.c", "--password-stdin")
		if status != cli.ExitFailed || !strings.Contains(stderr, "set XDG_CONFIG_HOME") || len(good) > 0 {
			t.Errorf("%s: status %d, the relay was asked: %v, %s%s", name, status, good, stdout, stderr)
		}
	}
}

func TestRegisterIsALoginToo(t *testing.T) {
	home(t)
	relay := tokenRelay(t, "T", map[string]bool{})
	status, stdout, stderr := start(t, "right horse\n", "register", "--relay", relay, "--email", "a@b.c", "--password-stdin")
	if k, err := readKept(); status != cli.ExitOK || err != nil || k != (kept{relay, "a@b.c", "T"}) {
		t.Errorf("status %d, kept %+v, %v, %s%s", status, k, err, stdout, stderr)
	}
	if status, _, stderr = start(t, "", "login"); status == cli.ExitOK || !strings.Contains(stderr, "no terminal") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if k := (kept{Relay: "wss://Relay.example"}); !k.isFor("https://relay.example/") || k.isFor("ws://relay.example") {
		t.Error("relays are told apart wrongly")
	}
}
