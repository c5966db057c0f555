package turnserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/fakecloudflare/turnserver"
)

// Credentials that the API hands out work here, and stop working when the API
// revokes them.
func TestTakesCredentialsOfTheAPI(t *testing.T) {
	api, err := fakecloudflare.New(fakecloudflare.Config{KeyID: "k", APIToken: "t", TURNSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(cfg *turnserver.Config) { cfg.Authorised = api.Authorised })
	if err = api.AddICEURLs(s.URLs()...); err != nil {
		t.Fatal(err)
	}
	post := func(path, body string) []byte {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/turn/keys/k/credentials/"+path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer t")
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code/100 != 2 {
			t.Fatalf("%s: status %d", path, rec.Code)
		}
		return rec.Body.Bytes()
	}
	var answer struct {
		IceServers []struct {
			URLs                 []string
			Username, Credential string
		}
	}
	if err = json.Unmarshal(post("generate-ice-servers", `{"ttl":60}`), &answer); err != nil {
		t.Fatal(err)
	}
	handedOut := answer.IceServers[1]
	if !slices.Contains(handedOut.URLs, s.URLs()[0]) {
		t.Fatalf("URLs %v, want those of the server", handedOut.URLs)
	}
	allocate := func() error {
		relay, allocateErr := dial(t, s.URLs()[0], handedOut.Username, handedOut.Credential).Allocate()
		if allocateErr != nil {
			return allocateErr
		}
		defer func() { _ = relay.Close() }()
		return echo(t, relay)
	}
	if err = allocate(); err != nil {
		t.Fatal(err)
	}
	post(handedOut.Username+"/revoke", "")
	if allocate() == nil {
		t.Error("a revoked credential still works")
	}
}
