package turn_test

import (
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare/turnrest"
	"wimz.dev/live/fakecloudflare/turnserver"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/turn"
)

// The credentials are what the scheme says, by a second implementation of it.
func TestCoturnFollowsTheScheme(t *testing.T) {
	provider := must(turn.NewCoturn(turn.CoturnConfig{URLs: urls, Secret: sharedSecret}))(t)
	synctest.Test(t, func(t *testing.T) {
		for range 3 {
			time.Sleep(333 * time.Millisecond) //nolint:forbidigo // a fake clock: fractions of a second
			got, err := provider.Mint(t.Context(), time.Hour, "viewer")
			if err != nil {
				t.Fatal(err)
			}
			server := got.ICEServers.Servers[1]
			if want := turnrest.Username(got.ExpiresAt, "viewer"); server.Username != want {
				t.Errorf("username %q, want %q", server.Username, want)
			}
			if server.Credential != turnrest.Password(sharedSecret, server.Username) {
				t.Error("not the credential of the username")
			}
			if until, err := turnrest.Expiry(server.Username); err != nil || until.Before(got.ExpiresAt) {
				t.Errorf("good until %v, said to be until %v", until, got.ExpiresAt)
			}
		}
	})
}

// A real server with the same secret lets these credentials relay, and no others.
func TestCoturnCredentialsAllocate(t *testing.T) {
	server, err := turnserver.Start(turnserver.Config{Secret: sharedSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, tt := range map[string]struct {
		secret config.Secret
		ttl    time.Duration
		good   bool
	}{
		"good":           {sharedSecret, time.Minute, true},
		"another secret": {"another", time.Minute, false},
		"expired":        {sharedSecret, -2 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			provider := must(turn.NewCoturn(turn.CoturnConfig{URLs: server.URLs(), Secret: tt.secret}))(t)
			credentials, err := provider.Mint(t.Context(), tt.ttl, "viewer")
			if err != nil {
				t.Fatal(err)
			}
			if err := turn.Allocate(credentials); (err == nil) != tt.good {
				t.Errorf("allocation: %v", err)
			}
		})
	}
}
