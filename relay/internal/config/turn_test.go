package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestProvider(t *testing.T) {
	for _, tc := range []struct {
		provider TURNProvider
		keyID    string
		want     TURNProvider
	}{
		{"", "", TURNNone},
		{"", "key", TURNCloudflare},
		{TURNNone, "key", TURNNone},
		{TURNCoturn, "key", TURNCoturn},
		{TURNCloudflare, "", TURNCloudflare},
	} {
		c := Config{TURNProvider: tc.provider, TURNKeyID: tc.keyID}
		if got := c.Provider(); got != tc.want {
			t.Errorf("%q with key %q: %q, want %q", tc.provider, tc.keyID, got, tc.want)
		}
	}
}

// TestValidateTURN: what is wrong with the settings of the provider in use is
// said, and nothing about those of others.
func TestValidateTURN(t *testing.T) {
	good := Config{
		TURNURLs: []string{
			"turn:turn.example.com:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp",
			"turns:turn.example.com:443?transport=tcp", "stun:[2001:db8::1]:3478",
		},
		TURNSecret: hush, TURNUsername: "wimz", TURNPassword: hush, TURNKeyID: "key", TURNAPIToken: hush,
		TURNBaseURL: "https://rtc.live.cloudflare.com",
	}
	for _, tc := range []struct {
		name     string
		provider TURNProvider
		spoil    func(*Config)
		want     []string // what the problems begin with
	}{
		{"complete", TURNCloudflare, func(*Config) {}, nil},
		{"complete", TURNCoturn, func(*Config) {}, nil},
		{"complete", TURNStatic, func(*Config) {}, nil},
		{"others' settings", TURNNone, func(*Config) {}, nil},
		{"required", TURNCoturn, func(c *Config) { c.TURNRequired = true }, nil},
		{"others' missing", TURNCoturn, func(c *Config) { c.TURNUsername, c.TURNPassword, c.TURNAPIToken = "", "", "" }, nil},
		{"others' missing", TURNStatic, func(c *Config) { c.TURNSecret, c.TURNKeyID = "", "" }, nil},

		{"required", TURNNone, func(c *Config) { c.TURNRequired = true }, []string{"TURN_REQUIRED: there is no TURN provider"}},
		{"no key", TURNCloudflare, func(c *Config) { c.TURNKeyID = "" }, []string{"CLOUDFLARE_TURN_KEY_ID: is not set"}},
		{"no token", TURNCloudflare, func(c *Config) { c.TURNAPIToken = "" }, []string{"CLOUDFLARE_TURN_API_TOKEN: is not set"}},
		{"no secret", TURNCoturn, func(c *Config) { c.TURNSecret = "" }, []string{"TURN_SECRET: is not set: copy static-auth-secret"}},
		{"no user", TURNStatic, func(c *Config) { c.TURNUsername, c.TURNPassword = "", "" }, []string{"TURN_USERNAME: is not set", "TURN_PASSWORD: is not set"}},
		{"no URL", TURNStatic, func(c *Config) { c.TURNURLs = nil }, []string{"TURN_URLS: names no TURN server"}},
		{"STUN only", TURNCoturn, func(c *Config) { c.TURNURLs = []string{"stun:a"} }, []string{"TURN_URLS: names no TURN server"}},
		{"port 53", TURNCoturn, func(c *Config) { c.TURNURLs[1] = "turn:a:53" }, []string{"TURN_URLS: no. 2 has port 53"}},
		{
			"bad URLs", TURNCoturn,
			func(c *Config) {
				c.TURNURLs = []string{"turn:" + hush + "@a", "https://" + hush, "turn:", "turn:a?transport=sctp"}
			},
			[]string{"TURN_URLS: no. 1 is not", "TURN_URLS: no. 2 is not", "TURN_URLS: no. 3 is not", "TURN_URLS: no. 4 is not"},
		},
	} {
		t.Run(string(tc.provider)+" "+tc.name, func(t *testing.T) {
			c := good
			c.TURNProvider, c.TURNURLs = tc.provider, append([]string(nil), good.TURNURLs...)
			tc.spoil(&c)
			err := c.checkTURN()
			text := fmt.Sprint(err)
			if strings.Contains(text, hush) {
				t.Errorf("a secret shows: %s", text)
			}
			if got := strings.Split(text, "\n"); err != nil && len(got) != len(tc.want) || (err == nil) != (tc.want == nil) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			for i, want := range tc.want {
				if got := strings.Split(text, "\n")[i]; !strings.HasPrefix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}
