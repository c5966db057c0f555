package turn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
)

// liveTime bounds one question to the real service.
const liveTime = 10 * time.Second

// live returns a provider before the real API; without a key the test is
// skipped. CLOUDFLARE_LIVE_BASE_URL points it elsewhere.
func live(t *testing.T) *Cloudflare {
	t.Helper()
	keyID, token := os.Getenv("CLOUDFLARE_LIVE_KEY_ID"), os.Getenv("CLOUDFLARE_LIVE_TOKEN")
	if keyID == "" || token == "" {
		t.Skip("needs the real service: set CLOUDFLARE_LIVE_KEY_ID and CLOUDFLARE_LIVE_TOKEN")
	}
	return liveAs(t, keyID, token)
}

func liveAs(t *testing.T, keyID, token string) *Cloudflare {
	t.Helper()
	provider, err := NewCloudflare(CloudflareConfig{
		BaseURL: os.Getenv("CLOUDFLARE_LIVE_BASE_URL"), KeyID: keyID, APIToken: config.Secret(token),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	return provider
}

// TestLiveRefusals prints what the documents leave open: the status and the
// shape of the body with which the API refuses.
func TestLiveRefusals(t *testing.T) {
	good := live(t)
	keyID := os.Getenv("CLOUDFLARE_LIVE_KEY_ID")
	for _, tt := range []struct {
		name     string
		provider *Cloudflare
		ttl      int
		lasting  bool // the relay must not ask again
	}{
		{"bad token", liveAs(t, keyID, strings.Repeat("0", 64)), 60, true},
		{"unknown key", liveAs(t, strings.Repeat("0", 32), os.Getenv("CLOUDFLARE_LIVE_TOKEN")), 60, true},
		{"ttl 0", good, 0, true},
		{"ttl above the maximum", good, 172801, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), liveTime)
			defer cancel()
			body, err := json.Marshal(map[string]int{"ttl": tt.ttl})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := tt.provider.post(ctx, body, "generate-ice-servers")
			t.Logf("%v; Content-Type %q, %s", err, answer.header.Get("Content-Type"), shape(answer.body))
			var e *Error
			if !errors.As(err, &e) || e.Temporary() == tt.lasting {
				t.Errorf("the relay expects a lasting refusal, but got %v", err)
			}
		})
	}
}

// shape is a JSON body without its values, which may be secrets.
func shape(body []byte) string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return "no JSON"
	}
	text, err := json.Marshal(blank(value))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text))
}

func blank(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = blank(v[key])
		}
	case []any:
		for i := range v {
			v[i] = blank(v[i])
		}
	case string:
		return "text"
	case float64:
		return 0
	}
	return value
}

// TestLiveRevocation prints how long a revoked credential still allocates.
func TestLiveRevocation(t *testing.T) {
	provider := live(t)
	credentials := liveMint(t, provider, time.Hour)
	started := time.Now()
	if err := provider.Revoke(t.Context(), credentials.Usernames()[0]); err != nil {
		t.Fatal(err)
	}
	t.Logf("refused %v after the revocation", untilRefused(t, credentials).Sub(started))
	if err := provider.Revoke(t.Context(), "unknown"); err != nil {
		t.Errorf("an unknown username: %v", err)
	}
}

// TestLiveExpiry prints how far the real expiry is from the one by our clock.
func TestLiveExpiry(t *testing.T) {
	credentials := liveMint(t, live(t), MinTTL)
	t.Logf("refused %v after the expiry", untilRefused(t, credentials).Sub(credentials.ExpiresAt))
}

// liveMint returns credentials that allocate.
func liveMint(t *testing.T, provider *Cloudflare, ttl time.Duration) Credentials {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), liveTime)
	defer cancel()
	credentials, err := provider.Mint(ctx, ttl, "live-suite")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", credentials.ICEServers)
	if err := Allocate(credentials); err != nil {
		t.Fatalf("fresh credentials do not allocate: %v", err)
	}
	return credentials
}

// untilRefused allocates every second until that fails.
func untilRefused(t *testing.T, credentials Credentials) time.Time {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := Allocate(credentials); err != nil {
			t.Logf("refused with: %v", err)
			return time.Now()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("still good")
		}
	}
}
