package turn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/internal/turn/turntest"
)

const sharedSecret = "s3cr3t-shared"

// urls has one that browsers refuse.
var urls = []string{"stun:turn.example.org:3478", "turn:turn.example.org:53", "turn:turn.example.org:3478?transport=udp", "turns:turn.example.org:443?transport=tcp"}

func TestProviders(t *testing.T) {
	slow := func(t *testing.T) turn.Provider {
		provider, api := fake(t)
		api.SetFault(fakecloudflare.Fault{DelayMS: 100, Endpoint: fakecloudflare.EndpointGenerate})
		return provider
	}
	t.Run("cloudflare", func(t *testing.T) { turntest.Run(t, slow, turntest.Traits{Secrets: []string{apiToken}}) })
	t.Run("cloudflare behind a breaker", func(t *testing.T) {
		open := func(t *testing.T) turn.Provider { return turn.NewBreaker(slow(t), nil) }
		turntest.Run(t, open, turntest.Traits{Secrets: []string{apiToken}})
	})
	t.Run("coturn", func(t *testing.T) {
		open := func(t *testing.T) turn.Provider {
			return must(turn.NewCoturn(turn.CoturnConfig{URLs: urls, Secret: sharedSecret}))(t)
		}
		turntest.Run(t, open, turntest.Traits{Secrets: []string{sharedSecret}})
	})
	t.Run("static", func(t *testing.T) {
		open := func(t *testing.T) turn.Provider {
			return must(turn.NewStatic(turn.StaticConfig{URLs: urls, Username: "wimz", Password: sharedSecret}))(t)
		}
		turntest.Run(t, open, turntest.Traits{Lasting: true, Secrets: []string{sharedSecret}})
	})
	t.Run("none", func(t *testing.T) {
		open := func(*testing.T) turn.Provider { return turn.None{} }
		turntest.Run(t, open, turntest.Traits{Lasting: true, NoTURN: true})
	})
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// What an operator has named is handed out as Cloudflare does: STUN apart from
// TURN, so that nobody sends credentials to a STUN server.
func TestOwnServersAreArranged(t *testing.T) {
	provider := must(turn.NewStatic(turn.StaticConfig{URLs: urls, Username: "wimz", Password: sharedSecret}))(t)
	got, err := provider.Mint(t.Context(), time.Minute, "viewer")
	if err != nil {
		t.Fatal(err)
	}
	servers := got.ICEServers.Servers
	if len(servers) != 2 || len(servers[0].URLs) != 1 || servers[0].Username+servers[0].Credential != "" ||
		len(servers[1].URLs) != 2 || servers[1].Username != "wimz" || servers[1].Credential != sharedSecret {
		t.Errorf("%+v", servers)
	}
}

func TestOwnServersAreRefused(t *testing.T) {
	good := []string{"turn:a:3478"}
	for name, open := range map[string]func() error{
		"coturn without a secret":   func() error { _, err := turn.NewCoturn(turn.CoturnConfig{URLs: good}); return err },
		"static without a password": func() error { _, err := turn.NewStatic(turn.StaticConfig{URLs: good, Username: "u"}); return err },
		"static without a name":     func() error { _, err := turn.NewStatic(turn.StaticConfig{URLs: good, Password: "p"}); return err },
		"no URL":                    func() error { return openCoturn() },
		"no TURN URL":               func() error { return openCoturn("stun:a:3478") },
		"port 53 only":              func() error { return openCoturn("stun:a:3478", "turn:a:53") },
		"another URL":               func() error { return openCoturn("turn:a:3478", "https://"+sharedSecret+"@a") },
		"a password in a URL":       func() error { return openCoturn("turn:u:" + sharedSecret + "@a:3478") },
	} {
		if err := open(); err == nil || strings.Contains(fmt.Sprint(err), sharedSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func openCoturn(urls ...string) error {
	_, err := turn.NewCoturn(turn.CoturnConfig{URLs: urls, Secret: sharedSecret})
	return err
}
