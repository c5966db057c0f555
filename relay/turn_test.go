package relay_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"wimz.dev/live/relay"
	"wimz.dev/live/relay/wire"
)

// TestTURNProviders asks a relay of each provider for credentials.
func TestTURNProviders(t *testing.T) {
	_, cloudflare := provider(t)
	own := func(c *relay.Config) {
		c.TURNURLs = []string{"turn:192.0.2.2:3478?transport=udp"}
		c.TURNSecret, c.TURNUsername, c.TURNPassword = "secret2", "fixed", "secret3"
	}
	for name, tt := range map[string]struct {
		change   func(*relay.Config)
		status   int
		url      string
		username string // what it ends with
		detail   string
	}{
		"cloudflare": {
			change: func(c *relay.Config) {
				c.TURNKeyID, c.TURNAPIToken, c.TURNBaseURL = cloudflare.TURNKeyID, cloudflare.TURNAPIToken, cloudflare.TURNBaseURL
			},
			status: 200, url: "turn:192.0.2.1:3478?transport=udp",
		},
		"cloudflare, another token": {
			change: func(c *relay.Config) {
				c.TURNKeyID, c.TURNAPIToken, c.TURNBaseURL = cloudflare.TURNKeyID, "another", cloudflare.TURNBaseURL
			},
			status: 502, detail: "Cloudflare API error: TURN provider refused the request (HTTP 401)",
		},
		"coturn": {
			change: func(c *relay.Config) { own(c); c.TURNProvider = "coturn" },
			status: 200, url: "turn:192.0.2.2:3478?transport=udp", username: "",
		},
		"static": {
			change: func(c *relay.Config) { own(c); c.TURNProvider = "static" },
			status: 200, url: "turn:192.0.2.2:3478?transport=udp", username: "fixed",
		},
		"none": {
			change: func(c *relay.Config) { own(c); c.TURNProvider = "none" },
			status: 500, detail: "TURN is not configured",
		},
		"unset": {change: func(*relay.Config) {}, status: 500, detail: "TURN is not configured"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			tt.change(&cfg)
			status, body := credentials(t, cfg)
			if status != tt.status || !strings.Contains(string(body), tt.detail) {
				t.Fatalf("%d %s", status, body)
			}
			if status != http.StatusOK {
				return
			}
			var list wire.ICEServers
			if err := json.Unmarshal(body, &list); err != nil {
				t.Fatal(err)
			}
			server := list.Servers[len(list.Servers)-1]
			if server.URLs[0] != tt.url || !strings.HasSuffix(server.Username, tt.username) || server.Credential == "" {
				t.Errorf("%s", body)
			}
		})
	}
}

// credentials runs a relay and asks it for TURN credentials.
func credentials(t *testing.T, cfg relay.Config) (status int, body json.RawMessage) {
	t.Helper()
	token := accounts(t, cfg)
	r, _ := serve(t, cfg, slog.New(slog.DiscardHandler))
	return ask(t, http.MethodPost, "http://"+r.Addr()+"/api/turn/credentials", token, "")
}
