package client

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/wire"
)

// answers returns the address of a relay that gives one answer.
func answers(t *testing.T, status int, header http.Header, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRefusals(t *testing.T) {
	elsewhere := answers(t, 200, nil, `{}`)
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   APIError
	}{
		"detail":         {401, nil, `{"detail":"Not authenticated"}`, APIError{Status: 401, Detail: "Not authenticated"}},
		"no detail":      {404, nil, `{}`, APIError{Status: 404, Detail: "Not Found"}},
		"no JSON":        {502, nil, `<html>`, APIError{Status: 502, Detail: "Bad Gateway"}},
		"wait":           {429, http.Header{"Retry-After": {"7"}}, ``, APIError{429, "Too Many Requests", 7 * time.Second}},
		"wait for ever":  {429, http.Header{"Retry-After": {"99999999"}}, ``, APIError{429, "Too Many Requests", 65535 * time.Second}},
		"wait, no count": {503, http.Header{"Retry-After": {"soon"}}, ``, APIError{Status: 503, Detail: "Service Unavailable"}},
		"redirect":       {307, http.Header{"Location": {elsewhere}}, ``, APIError{Status: 307, Detail: "Temporary Redirect"}},
	} {
		var refused *APIError
		err := API{URL: answers(t, c.status, c.header, c.body)}.Call(t.Context(), "POST", "/p", c, nil)
		if !errors.As(err, &refused) || *refused != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestRelayAddresses(t *testing.T) {
	for base, want := range map[string]string{
		"ws://h:1":         "http://h:1",
		"wss://h":          "https://h",
		"http://h/":        "http://h",
		"https://u@h/ws?q": "https://h",
	} {
		if got, err := HTTPURL(base); err != nil || got.String() != want {
			t.Errorf("%s: %q, %v; want %q", base, got, err, want)
		}
	}
	for _, base := range []string{"h:1", "ftp://h", "ws://", ":", ""} {
		if got, err := HTTPURL(base); err == nil {
			t.Errorf("%s: %q", base, got)
		}
	}
}

func TestRegister(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		seconds, _ := strconv.ParseInt(r.Header.Get("X-Timestamp"), 10, 64)
		genuine := wire.VerifySignature(deviceSecret, "robot", time.Unix(seconds, 0), r.Header.Get("X-Signature"))
		if r.URL.Path != "/api/device/register" || body["device_id"] != "robot" || body["firmware_version"] != "1.2" || !genuine {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"success":true,"pairing_code":"7K3M-9QXD","expires_in":600,"websocket_url":"ws://h/ws/device"}`)
	}))
	defer server.Close()
	got, err := Register(t.Context(), strings.Replace(server.URL, "http", "ws", 1), "robot", deviceSecret, "1.2")
	if err != nil || got != (Pairing{"7K3M-9QXD", 10 * time.Minute, "ws://h/ws/device"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	var refused *APIError
	if _, err := Register(t.Context(), server.URL, "robot", "another secret", "1.2"); !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("got %v", err)
	}
	if _, err := Register(t.Context(), answers(t, 200, nil, `{}`), "robot", deviceSecret, ""); err == nil {
		t.Error("no code, no error")
	}
}
