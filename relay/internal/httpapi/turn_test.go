package httpapi_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/turn"
)

const turnPath = "/api/turn/credentials"

func TestTURNCredentials(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	const want = `{"iceServers":[{"urls":["turn:t.example:3478"],"username":"secret-username","credential":"secret-credential"}]}`
	for body, ttl := range map[string]time.Duration{
		``: time.Hour, `{}`: time.Hour, `{"ttl":3600}`: time.Hour, `{"ttl":60}`: time.Minute,
		`{"ttl":172800}`: 48 * time.Hour, `{"ttl":61,"other":true}`: 61 * time.Second,
	} {
		if a := w.is(200, "POST", turnPath, token, body); a.text != want {
			t.Errorf("%s: %s", body, a.text)
		}
		if w.provider.ttl != ttl {
			t.Errorf("%s: asked for %s, want %s", body, w.provider.ttl, ttl)
		}
	}
	for _, body := range []string{
		`{"ttl":59}`, `{"ttl":172801}`, `{"ttl":0}`, `{"ttl":-1}`, `{"ttl":"3600"}`, `{"ttl":60.5}`, `{"ttl":1e30}`, `[]`, `{`,
		`{"ttl":3600,"padding":"` + strings.Repeat("x", 8<<10) + `"}`, // more than anybody needs
	} {
		w.is(422, "POST", turnPath, token, body)
	}
	w.is(401, "POST", turnPath, "", "")
	w.is(401, "POST", turnPath, "x.y.z", "")
}

// TestNoBodyOfUnknownLength is no body either.
func TestNoBodyOfUnknownLength(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	r := httptest.NewRequestWithContext(t.Context(), "POST", turnPath, io.MultiReader())
	r.Header, r.ContentLength = bearer(token), -1
	answer := httptest.NewRecorder()
	if w.api.ServeHTTP(answer, r); answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestTURNFails(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	w.provider.fail(&turn.Error{Kind: turn.KindStatus, Status: 401})
	a := w.is(502, "POST", turnPath, token, "")
	if a.text != `{"detail":"Cloudflare API error: TURN provider refused the request (HTTP 401)"}` {
		t.Errorf("got %s", a.text)
	}
}

func TestTURNNotConfigured(t *testing.T) {
	w := newWorld(t, func(o *options) { o.http.TURN = nil })
	_, token := w.user()
	if a := w.is(500, "POST", turnPath, token, ""); a.text != `{"detail":"TURN is not configured"}` {
		t.Errorf("got %s", a.text)
	}
}

func TestTURNLimit(t *testing.T) {
	w := newWorld(t)
	_, token := w.user()
	_, other := w.user()
	refused := 0
	for ; refused < 100; refused++ {
		if a := w.do("POST", turnPath, token, ""); a.status == 429 {
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
	}
	if refused < 20 || refused > 40 {
		t.Errorf("refused after %d", refused)
	}
	w.is(200, "POST", turnPath, other, "")
}
