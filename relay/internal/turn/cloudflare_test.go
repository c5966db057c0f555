package turn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
)

func TestMintReadsEveryForm(t *testing.T) {
	split := []string{"stun:192.0.2.1:3478", "turn:192.0.2.1:3478?transport=udp", "turns:192.0.2.1:5349?transport=tcp"}
	tests := map[string]struct {
		fault fakecloudflare.Fault
		want  []string
	}{
		"today's":    {fakecloudflare.Fault{}, split},
		"plain 200":  {fakecloudflare.Fault{Status: http.StatusOK}, split},
		"merged":     {fakecloudflare.Fault{Body: fakecloudflare.BodyMerged}, split},
		"object":     {fakecloudflare.Fault{Body: fakecloudflare.BodyObject}, split},
		"single URL": {fakecloudflare.Fault{Body: fakecloudflare.BodySingleURL}, split[1:2]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider, api := fake(t)
				api.SetFault(tt.fault)
				got, err := provider.Mint(t.Context(), time.Hour, "viewer")
				if err != nil {
					t.Fatal(err)
				}
				var urls []string
				for _, server := range got.ICEServers.Servers {
					urls = append(urls, server.URLs...)
				}
				if !slices.Equal(urls, tt.want) {
					t.Errorf("URLs %v, want %v: port 53 is filtered out", urls, tt.want)
				}
				issued := api.Issued()
				if len(issued) != 1 || !slices.Equal(got.Usernames(), []string{issued[0].Username}) {
					t.Fatalf("usernames %v, ledger %+v", got.Usernames(), issued)
				}
				if issued[0].TTL != 3600 || issued[0].CustomIdentifier != "viewer" {
					t.Errorf("asked for %+v", issued[0])
				}
				if want := time.Now().Add(time.Hour); !got.ExpiresAt.Equal(want) {
					t.Errorf("expires at %v, want %v", got.ExpiresAt, want)
				}
			})
		})
	}
}

func TestMintFaults(t *testing.T) {
	tests := map[string]struct {
		fault    fakecloudflare.Fault
		kind     turn.Kind // "" for success
		requests int
		after    time.Duration
	}{
		"400 is final":               {fakecloudflare.Fault{Status: 400}, turn.KindStatus, 1, 0},
		"401 is final":               {fakecloudflare.Fault{Status: 401}, turn.KindStatus, 1, 0},
		"404 is final":               {fakecloudflare.Fault{Status: 404}, turn.KindStatus, 1, 0},
		"307 is not followed":        {fakecloudflare.Fault{Status: 307}, turn.KindStatus, 1, 0},
		"500 is tried twice":         {fakecloudflare.Fault{Status: 500}, turn.KindUpstream, 2, 200 * time.Millisecond},
		"503 once":                   {fakecloudflare.Fault{Status: 503, Times: 1}, "", 2, 200 * time.Millisecond},
		"429 with a short wait":      {fakecloudflare.Fault{Status: 429, RetryAfter: "1", Times: 1}, "", 2, time.Second},
		"429 twice":                  {fakecloudflare.Fault{Status: 429, RetryAfter: "1"}, turn.KindStatus, 2, time.Second},
		"429 with a long wait":       {fakecloudflare.Fault{Status: 429, RetryAfter: "60"}, turn.KindStatus, 1, 0},
		"429 without a wait":         {fakecloudflare.Fault{Status: 429}, turn.KindStatus, 1, 0},
		"429 with an odd wait":       {fakecloudflare.Fault{Status: 429, RetryAfter: "soon"}, turn.KindStatus, 1, 0},
		"connection dropped once":    {fakecloudflare.Fault{Drop: true, Times: 1}, "", 2, 200 * time.Millisecond},
		"connection dropped":         {fakecloudflare.Fault{Drop: true}, turn.KindNetwork, 2, 200 * time.Millisecond},
		"hanging once":               {fakecloudflare.Fault{Hang: true, Times: 1}, "", 2, 5200 * time.Millisecond},
		"hanging":                    {fakecloudflare.Fault{Hang: true}, turn.KindTimeout, 2, 10200 * time.Millisecond},
		"slow is not too slow":       {fakecloudflare.Fault{DelayMS: 4900}, "", 1, 4900 * time.Millisecond},
		"truncated body":             {fakecloudflare.Fault{Body: fakecloudflare.BodyTruncated}, turn.KindMalformed, 1, 0},
		"HTML with a good status":    {fakecloudflare.Fault{Body: fakecloudflare.BodyHTML}, turn.KindMalformed, 1, 0},
		"HTML with a bad status":     {fakecloudflare.Fault{Status: 502, Body: fakecloudflare.BodyHTML}, turn.KindUpstream, 2, 200 * time.Millisecond},
		"oversized body":             {fakecloudflare.Fault{Body: fakecloudflare.BodyOversized}, turn.KindTooLarge, 1, 0},
		"oversized with bad status":  {fakecloudflare.Fault{Status: 403, Body: fakecloudflare.BodyOversized}, turn.KindStatus, 1, 0},
		"no TURN server":             {fakecloudflare.Fault{Body: fakecloudflare.BodyNoTURN}, turn.KindNoTURN, 1, 0},
		"no content":                 {fakecloudflare.Fault{Status: 204}, turn.KindMalformed, 1, 0},
		"a fault of another request": {fakecloudflare.Fault{Status: 500, Endpoint: fakecloudflare.EndpointRevoke}, "", 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider, api := fake(t)
				api.SetFault(tt.fault)
				started := time.Now()
				got, err := provider.Mint(t.Context(), time.Hour, "")
				checkKind(t, err, tt.kind)
				if err != nil && !got.ExpiresAt.IsZero() {
					t.Errorf("an error, and credentials: %v", got)
				}
				if api.Requests() != tt.requests || time.Since(started) != tt.after {
					t.Errorf("%d requests in %v, want %d in %v", api.Requests(), time.Since(started), tt.requests, tt.after)
				}
				want := started.Add(time.Hour)
				if tt.requests == 2 {
					want = want.Add(tt.after) // the second attempt was answered at once
				}
				if err == nil && !got.ExpiresAt.Equal(want) {
					t.Errorf("expires at %v, want %v", got.ExpiresAt, want)
				}
			})
		})
	}
}

func checkKind(t *testing.T, err error, want turn.Kind) {
	t.Helper()
	var e *turn.Error
	switch {
	case want == "" && err != nil:
		t.Errorf("err = %v, want none", err)
	case want != "" && (!errors.As(err, &e) || e.Kind != want):
		t.Errorf("err = %v, want one that %q", err, want)
	}
}

// A caller's deadline bounds everything, and no attempt begins that it leaves
// no time for.
func TestMintKeepsTheDeadline(t *testing.T) {
	tests := map[string]struct {
		fault    fakecloudflare.Fault
		deadline time.Duration
		requests int
		after    time.Duration
	}{
		"during the first attempt":  {fakecloudflare.Fault{Hang: true}, time.Second, 1, time.Second},
		"during the second attempt": {fakecloudflare.Fault{Hang: true}, 6 * time.Second, 2, 6 * time.Second},
		"before the second attempt": {fakecloudflare.Fault{Status: 503}, 150 * time.Millisecond, 1, 0},
		"before the retry-after":    {fakecloudflare.Fault{Status: 429, RetryAfter: "2"}, time.Second, 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider, api := fake(t)
				api.SetFault(tt.fault)
				started := time.Now()
				_, err := provider.Mint(within(t, tt.deadline), time.Hour, "")
				if err == nil || api.Requests() != tt.requests || time.Since(started) != tt.after {
					t.Errorf("%v after %d requests in %v, want %d in %v", err, api.Requests(), time.Since(started), tt.requests, tt.after)
				}
			})
		})
	}
}

func TestMintStopsWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, api := fake(t)
		api.SetFault(fakecloudflare.Fault{Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := provider.Mint(ctx, time.Hour, "")
		if !errors.Is(err, context.Canceled) || api.Requests() != 1 {
			t.Errorf("%v after %d requests", err, api.Requests())
		}
	})
}

// The server never sees a second request: a redirect would carry the token.
func TestMintFollowsNoRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		provider := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path)
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
		}))
		_, err := provider.Mint(t.Context(), time.Hour, "")
		checkKind(t, err, turn.KindStatus)
		if len(paths) != 1 {
			t.Errorf("requests to %v", paths)
		}
	})
}

// Who answers without end is cut off at once, not when the time is over.
func TestMintReadsNoEndlessBody(t *testing.T) {
	for _, status := range []int{http.StatusCreated, http.StatusForbidden} {
		synctest.Test(t, func(t *testing.T) {
			provider := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					_, _ = w.Write(make([]byte, 4096))
					select {
					case <-tick.C:
					case <-r.Context().Done():
						return
					}
				}
			}))
			started := time.Now()
			_, err := provider.Mint(t.Context(), time.Hour, "")
			if took := time.Since(started); err == nil || took > time.Second {
				t.Errorf("err = %v after %v", err, took)
			}
		})
	}
}

func TestRetryAfterIsPassedOn(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"60": time.Minute, "0": 0, "": 0, "soon": 0, "-1": 0, "99999999999999999999": 0, "Wed, 21 Oct 2026 07:28:00 GMT": 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			provider, api := fake(t)
			api.SetFault(fakecloudflare.Fault{Status: http.StatusTooManyRequests, RetryAfter: text})
			_, err := provider.Mint(t.Context(), time.Hour, "")
			var e *turn.Error
			if !errors.As(err, &e) || e.RetryAfter != want {
				t.Errorf("%q: %+v, want %v", text, e, want)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, api := fake(t)
		credentials, err := provider.Mint(t.Context(), time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		username := credentials.Usernames()[0]
		api.SetFault(fakecloudflare.Fault{Status: 503, Times: 1})
		checkKind(t, provider.Revoke(t.Context(), username), turn.KindUpstream)
		if !api.Authorised(username) || api.Requests() != 2 {
			t.Fatalf("authorised: %v, %d requests", api.Authorised(username), api.Requests())
		}
		checkKind(t, provider.Revoke(t.Context(), username), "")
		if api.Authorised(username) {
			t.Error("not revoked")
		}
		checkKind(t, provider.Revoke(t.Context(), username), "")
		checkKind(t, provider.Revoke(t.Context(), "1:a/b?c#../unknown"), "")
	})
}

// What the server writes, and what we send, stays out of errors and logs.
func TestErrorsKeepSecrets(t *testing.T) {
	const upstream = "upstream-text"
	for name, handler := range map[string]http.HandlerFunc{
		"body": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, upstream, r.Header.Get("Authorization"))
		},
		"malformed JSON": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"iceServers":%q}`, upstream+r.Header.Get("Authorization"))
		},
		"malformed HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = fmt.Fprintf(conn, "%s %s\r\n\r\n", upstream, r.Header.Get("Authorization"))
			_ = conn.Close()
		},
		"location": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://"+upstream+"/%zz?"+r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := client(t, handler).Mint(t.Context(), time.Hour, "")
				var e *turn.Error
				if !errors.As(err, &e) {
					t.Fatalf("err = %v", err)
				}
				for _, text := range []string{e.Error(), e.LogValue().String(), fmt.Sprintf("%+v %#v", err, errors.Unwrap(err))} {
					if strings.Contains(text, apiToken) || strings.Contains(text, upstream) {
						t.Errorf("the error tells: %s", text)
					}
				}
			})
		})
	}
}

func TestUnreachable(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	provider, err := turn.NewCloudflare(turn.CloudflareConfig{BaseURL: closed.URL, KeyID: "k", APIToken: apiToken})
	if err != nil {
		t.Fatal(err)
	}
	_, err = provider.Mint(t.Context(), time.Hour, "")
	checkKind(t, err, turn.KindNetwork)
	var e *turn.Error
	if errors.As(err, &e) && !strings.Contains(e.LogValue().String(), "connection refused") {
		t.Errorf("the log does not say why: %s", e.LogValue())
	}
}

func TestNewCloudflareRefuses(t *testing.T) {
	for name, cfg := range map[string]turn.CloudflareConfig{
		"no key":      {APIToken: apiToken},
		"no token":    {KeyID: "k"},
		"other URL":   {KeyID: "k", APIToken: apiToken, BaseURL: "ftp://example.org"},
		"URL no host": {KeyID: "k", APIToken: apiToken, BaseURL: "rtc.live.cloudflare.com"},
	} {
		if _, err := turn.NewCloudflare(cfg); err == nil || strings.Contains(err.Error(), apiToken) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

func TestNone(t *testing.T) {
	got, err := turn.None{}.Mint(t.Context(), time.Hour, "")
	body, jsonErr := json.Marshal(got.ICEServers)
	if err != nil || jsonErr != nil || string(body) != `{"iceServers":[]}` {
		t.Errorf("%s, %v, %v", body, err, jsonErr)
	}
	if err := (turn.None{}).Revoke(t.Context(), "anybody"); err != nil {
		t.Error(err)
	}
}
