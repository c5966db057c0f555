package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/wire"
)

// registrar is a relay that gives its answers one after the other.
type registrar struct {
	answers []string // STATUS BODY
	asked   int
}

func (s *registrar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := s.answers[min(s.asked, len(s.answers)-1)]
	s.asked++
	seconds, _ := strconv.ParseInt(r.Header.Get("X-Timestamp"), 10, 64)
	if !wire.VerifySignature("hunter2", "wimz_1", time.Unix(seconds, 0), r.Header.Get("X-Signature")) {
		text = "401 {}"
	}
	status, body, _ := strings.Cut(text, " ")
	code, _ := strconv.Atoi(status)
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(code)
	_, _ = fmt.Fprint(w, body)
}

func TestPair(t *testing.T) {
	const (
		good = `200 {"success":true,"pairing_code":"7K3M-9QXD","expires_in":600,"websocket_url":"ws://h/ws/device"}`
		late = `429 {"detail":"Too many requests, please wait a moment"}`
	)
	for name, c := range map[string]struct {
		answers []string
		config  string // beside the relay's address
		status  int
		asked   int
		says    []string
	}{
		"code":          {[]string{good}, "", cli.ExitOK, 1, []string{"Type this code in the app:\n\n    7K3M-9QXD\n", "once, within 10 minutes (until "}},
		"same second":   {[]string{late, good}, "", cli.ExitOK, 2, []string{"    7K3M-9QXD\n"}},
		"too often":     {[]string{late}, "", cli.ExitFailed, 2, []string{"robot: register the robot: the relay answered 429: Too many"}},
		"wrong secret":  {[]string{good}, "  device_secret: hunter3", cli.ExitFailed, 1, []string{"the relay answered 401", "check cloud.device_id, cloud.device_secret and this machine's clock"}},
		"relay too old": {[]string{`404 {"detail":"Not found"}`}, "", cli.ExitFailed, 1, []string{"the relay answered 404: Not found"}},
		"no code":       {[]string{`200 {"success":true}`}, "", cli.ExitFailed, 1, []string{"the relay sent no code"}},
		"switched off":  {[]string{good}, "  enabled: false", cli.ExitFailed, 0, []string{"cloud.enabled is false"}},
	} {
		t.Run(name, func(t *testing.T) {
			relay := &registrar{answers: c.answers}
			server := httptest.NewServer(relay)
			defer server.Close()
			if !strings.Contains(c.config, "device_secret") {
				c.config += "\n  device_secret: hunter2"
			}
			file := filepath.Join(t.TempDir(), "robot.yaml")
			text := fmt.Sprintf("cloud:\n  relay_url: %s\n  device_id: wimz_1\n%s\n", strings.Replace(server.URL, "http", "ws", 1), c.config)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr safeBuffer
			if status := run(t.Context(), []string{"pair", "--config", file}, &stdout, &stderr); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			output := stdout.String() + stderr.String()
			for _, want := range c.says {
				if !strings.Contains(output, want) {
					t.Errorf("it does not say %q:\n%s", want, output)
				}
			}
			if relay.asked != c.asked {
				t.Errorf("asked %d times, want %d", relay.asked, c.asked)
			}
			if strings.Contains(output, "hunter") {
				t.Error("a secret shows")
			}
		})
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10 minutes", time.Hour: "60 minutes", time.Second: "1 seconds", 90 * time.Second: "90 seconds",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}
