package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers says which handler was asked for what.
func answers(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, name, " ", r.URL.Path) })
}

// serve runs a server until the test ends and returns what it logged at once.
func serve(t *testing.T, address string) (s *Server, log string) {
	t.Helper()
	s, err := Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	s.Serve(t.Context(), Config{
		Metrics: answers("metrics"), Health: answers("health"), Log: slog.New(slog.NewTextHandler(&text, nil)),
	})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, text.String()
}

func get(t *testing.T, s *Server, path string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestServes(t *testing.T) {
	s, _ := serve(t, "127.0.0.1:0")
	for path, want := range map[string]string{
		"/metrics": "metrics /metrics", "/health": "health /health", "/ready": "health /ready",
		"/debug/pprof/":                  "heap",
		"/debug/pprof/goroutine?debug=1": "goroutine profile:",
		"/debug/pprof/cmdline":           "admin.test",
		"/debug/pprof/symbol":            "num_symbols",
	} {
		if status, body := get(t, s, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.80s", path, status, body)
		}
	}
	for _, path := range []string{"/", "/api/auth/me", "/stats"} {
		if status, _ := get(t, s, path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestWarns about a listener that others can reach, and only about that.
func TestWarns(t *testing.T) {
	for address, wanted := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "0.0.0.0:0": true, ":0": true} {
		_, log := serve(t, address)
		if warned := strings.Contains(log, "level=WARN"); warned != wanted {
			t.Errorf("%s: %s", address, log)
		}
	}
}

// TestCloseEndsProfiles that are under way: the relay waits for none.
func TestCloseEndsProfiles(t *testing.T) {
	s, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	s.Serve(t.Context(), Config{Log: slog.New(slog.DiscardHandler), Health: answers(""), Metrics: http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
		},
	)})
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		get(t, s, "/metrics")
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	<-asked
}

func TestOff(t *testing.T) {
	s, err := Listen(t.Context(), "")
	if s != nil || err != nil {
		t.Fatalf("%v, %v", s, err)
	}
	s.Serve(t.Context(), Config{})
	if err := s.Close(t.Context()); err != nil || s.Addr() != "" {
		t.Errorf("%q, %v", s.Addr(), err)
	}
}

func TestAddressInUse(t *testing.T) {
	s, _ := serve(t, "127.0.0.1:0")
	_, err := Listen(t.Context(), s.Addr())
	if fault := (*net.OpError)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), "ADMIN_LISTEN") {
		t.Errorf("got %v", err)
	}
}
