package relay_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"wimz.dev/live/relay/client"
)

// ask makes a request and returns the answer, whatever it is.
func ask(t *testing.T, method, url, token, body string) (status int, text []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Close = true
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it has been read
	if text, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text
}

// TestAdmin: what the operator is told is told on the admin listener alone, as
// long as the relay runs.
func TestAdmin(t *testing.T) {
	_, cfg := provider(t)
	token := accounts(t, cfg)
	r, stop := serve(t, cfg, slog.New(slog.DiscardHandler))
	connect(t, r, client.App(func() string { return token })).next(t)

	admin, public := "http://"+r.AdminAddr(), "http://"+r.Addr()
	for url, want := range map[string]int{
		admin + "/metrics": 200, admin + "/health": 200, admin + "/ready": 200, admin + "/debug/pprof/heap": 200,
		admin + "/stats": 404, admin + "/api/auth/me": 404,
		public + "/metrics": 404, public + "/debug/pprof/": 404,
	} {
		if status, text := ask(t, "GET", url, token, ""); status != want {
			t.Errorf("%s: %d, want %d: %.80s", url, status, want, text)
		}
	}
	_, figures := ask(t, "GET", admin+"/metrics", "", "")
	for _, line := range []string{
		`wimz_relay_sockets{kind="app"} 1`, "wimz_relay_store_up 1", "wimz_relay_turn_credentials 0",
		`wimz_relay_turn_breaker_state{state="closed"} 1`, "wimz_relay_build_info{", "go_goroutines ", "process_start_time_seconds ",
	} {
		if !strings.Contains(string(figures), "\n"+line) {
			t.Errorf("no figure %s", line)
		}
	}

	stop()
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.AdminAddr()); err == nil {
		_ = conn.Close()
		t.Error("the admin listener outlives the relay")
	}
}

// TestAdminOff: no listener, and the relay runs.
func TestAdminOff(t *testing.T) {
	cfg := config(t)
	cfg.AdminListen = "off"
	if status, body := credentials(t, cfg); status != http.StatusInternalServerError {
		t.Errorf("%d %s", status, body)
	}
}
