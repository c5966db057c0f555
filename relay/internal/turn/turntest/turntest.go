// Package turntest is the suite that every [turn.Provider] passes.
package turntest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v3"

	"wimz.dev/live/relay/internal/turn"
)

// Traits are what providers may differ in.
type Traits struct {
	// Lasting credentials never expire, whatever ttl is asked for.
	Lasting bool
	// NoTURN is a provider that names no TURN servers.
	NoTURN bool
	// Secrets are what the provider was opened with and must not print.
	Secrets []string
}

// Run holds the contract of [turn.Provider] against what open returns: a
// provider, new for each call, that open itself arranges to be closed. Where
// there is a way to, it has been given a URL of port 53, and takes a moment to
// answer. Each test runs in a bubble of testing/synctest.
func Run(t *testing.T, open func(*testing.T) turn.Provider, traits Traits) {
	for name, test := range map[string]func(*testing.T, turn.Provider, Traits){
		"CredentialsAreUsable":    credentialsAreUsable,
		"ExpiryIsNeverLate":       expiryIsNeverLate,
		"CredentialsAreDistinct":  credentialsAreDistinct,
		"EndedContextFails":       endedContextFails,
		"RevokeTakesAnyName":      revokeTakesAnyName,
		"SecretsAreNotPrinted":    secretsAreNotPrinted,
		"ManyAtOnce":              manyAtOnce,
		"IdentifierMayBeMissing":  identifierMayBeMissing,
		"ListSurvivesItsReceiver": listSurvivesItsReceiver,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, open(t), traits) })
		})
	}
}

func mint(t *testing.T, p turn.Provider, ttl time.Duration, identifier string) turn.Credentials {
	t.Helper()
	c, err := p.Mint(t.Context(), ttl, identifier)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// credentialsAreUsable: a browser takes the whole list, or none of it.
func credentialsAreUsable(t *testing.T, p turn.Provider, traits Traits) {
	c := mint(t, p, time.Hour, "viewer")
	if c.ICEServers.HasTURN() == traits.NoTURN || (len(c.Usernames()) == 0) != traits.NoTURN {
		t.Errorf("%v, usernames %q", c.ICEServers, c.Usernames())
	}
	for _, server := range c.ICEServers.Servers {
		if len(server.URLs) == 0 {
			t.Error("an entry without a URL")
		}
		for _, url := range server.URLs {
			uri, err := stun.ParseURI(url)
			if err != nil || uri.Port == 53 {
				t.Errorf("%q is not usable: %v", url, err)
			}
			if strings.HasPrefix(url, "turn") && (server.Username == "" || server.Credential == "") {
				t.Errorf("%q without credentials", url)
			}
		}
	}
}

// expiryIsNeverLate: the time an answer takes is part of the life.
func expiryIsNeverLate(t *testing.T, p turn.Provider, traits Traits) {
	for _, ttl := range []time.Duration{turn.MinTTL, turn.DefaultTTL, turn.MaxTTL} {
		before := time.Now()
		c := mint(t, p, ttl, "viewer")
		if !c.IssuedAt.Equal(before) {
			t.Errorf("issued %v after it was asked for", c.IssuedAt.Sub(before))
		}
		if traits.Lasting {
			if !c.ExpiresAt.IsZero() || !c.RenewAt().IsZero() {
				t.Errorf("expires at %v, to be renewed at %v", c.ExpiresAt, c.RenewAt())
			}
			continue
		}
		if !c.ExpiresAt.Equal(before.Add(ttl)) || !c.RenewAt().Equal(before.Add(ttl*8/10)) {
			t.Errorf("ttl %v: expires after %v, to be renewed after %v", ttl, c.ExpiresAt.Sub(before), c.RenewAt().Sub(before))
		}
	}
}

// credentialsAreDistinct: those of one user do not work for another.
func credentialsAreDistinct(t *testing.T, p turn.Provider, traits Traits) {
	ann, bob := mint(t, p, time.Hour, "ann").Usernames(), mint(t, p, time.Hour, "bob").Usernames()
	if slices.Equal(ann, bob) != traits.Lasting {
		t.Errorf("%q and %q", ann, bob)
	}
}

func endedContextFails(t *testing.T, p turn.Provider, _ Traits) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	started := time.Now()
	c, err := p.Mint(ctx, time.Hour, "viewer")
	var e *turn.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || len(c.ICEServers.Servers) > 0 {
		t.Errorf("%v, %v", c, err)
	}
	if took := time.Since(started); took > 0 {
		t.Errorf("took %v", took)
	}
}

func revokeTakesAnyName(t *testing.T, p turn.Provider, _ Traits) {
	c := mint(t, p, time.Hour, "viewer")
	for _, name := range append(c.Usernames(), "1700000000:nobody", "1:a/b?c#../unknown") {
		for range 2 {
			if err := p.Revoke(t.Context(), name); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

func secretsAreNotPrinted(t *testing.T, p turn.Provider, traits Traits) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Mint(ctx, time.Hour, "")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(format, p) + fmt.Sprintf(format, err) + fmt.Sprintf(format, mint(t, p, time.Hour, "").ICEServers)
		for _, secret := range traits.Secrets {
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s shows a secret: %s", format, text)
			}
		}
	}
}

func manyAtOnce(t *testing.T, p turn.Provider, _ Traits) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			c, err := p.Mint(t.Context(), time.Hour, fmt.Sprint(i))
			for _, name := range c.Usernames() {
				err = errors.Join(err, p.Revoke(t.Context(), name))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func identifierMayBeMissing(t *testing.T, p turn.Provider, traits Traits) {
	first, second := mint(t, p, time.Hour, "").Usernames(), mint(t, p, time.Hour, "").Usernames()
	if slices.Equal(first, second) != traits.Lasting {
		t.Errorf("%q and %q", first, second)
	}
}

// listSurvivesItsReceiver: adding a server to one list is not seen in another.
func listSurvivesItsReceiver(t *testing.T, p turn.Provider, _ Traits) {
	first := mint(t, p, time.Hour, "").ICEServers
	before := first.String()
	_ = append(first.Servers, first.Servers...)
	if after := mint(t, p, time.Hour, "").ICEServers.String(); after != before {
		t.Errorf("%s has become %s", before, after)
	}
}
