package fakecloudflare_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/fakecloudflare/turnrest"
)

const (
	keyID    = "key1"
	apiToken = "token1"
	secret   = "secret1"
	generate = "/v1/turn/keys/key1/credentials/generate-ice-servers"
)

type answer struct {
	IceServers []struct {
		URLs       []string `json:"urls"`
		Username   string   `json:"username"`
		Credential string   `json:"credential"`
	} `json:"iceServers"`
}

func start(t *testing.T) (*fakecloudflare.Server, *httptest.Server) {
	t.Helper()
	api, err := fakecloudflare.New(fakecloudflare.Config{
		KeyID: keyID, APIToken: apiToken, TURNSecret: secret,
		ICEURLs: []string{"turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(api)
	t.Cleanup(web.Close)
	t.Cleanup(api.ClearFault)
	t.Cleanup(web.Client().CloseIdleConnections)
	return api, web
}

// call returns status and body of a request with the right token.
func call(t *testing.T, web *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apiToken)
	res, err := web.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(got)
}

func TestGenerate(t *testing.T) {
	api, web := start(t)
	status, body := call(t, web, http.MethodPost, generate, `{"ttl":3600,"customIdentifier":"viewer"}`)
	if status != http.StatusCreated {
		t.Fatalf("status %d, want 201", status)
	}
	var got answer
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.IceServers) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	stun, turn := got.IceServers[0], got.IceServers[1]
	if want := []string{"stun:192.0.2.1:3478", "stun:192.0.2.1:53"}; !slices.Equal(stun.URLs, want) {
		t.Errorf("STUN URLs %v, want %v", stun.URLs, want)
	}
	want := []string{
		"turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:53?transport=udp", "turn:192.0.2.1:3478?transport=tcp",
	}
	if !slices.Equal(turn.URLs, want) {
		t.Errorf("TURN URLs %v, want %v", turn.URLs, want)
	}
	if turn.Credential != turnrest.Password(secret, turn.Username) {
		t.Error("a TURN server that knows the secret would not take the credential")
	}
	issued := api.Issued()
	if len(issued) != 1 || issued[0].Username != turn.Username || issued[0].TTL != 3600 ||
		issued[0].CustomIdentifier != "viewer" || !api.Authorised(turn.Username) {
		t.Errorf("ledger %+v", issued)
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		path, token, body string
		want              int
	}{
		"wrong token":           {generate, "Bearer other", `{"ttl":60}`, http.StatusUnauthorized},
		"no token":              {generate, "", `{"ttl":60}`, http.StatusUnauthorized},
		"not a bearer":          {generate, apiToken, `{"ttl":60}`, http.StatusUnauthorized},
		"endless token":         {generate, "Bearer " + strings.Repeat("x", 5000), `{"ttl":60}`, http.StatusUnauthorized},
		"unknown key":           {strings.Replace(generate, "key1", "key2", 1), "", `{"ttl":60}`, http.StatusUnauthorized},
		"unknown key, token":    {strings.Replace(generate, "key1", "key2", 1), "Bearer " + apiToken, `{"ttl":60}`, http.StatusNotFound},
		"ttl over 48 hours":     {generate, "Bearer " + apiToken, `{"ttl":172801}`, http.StatusBadRequest},
		"ttl zero":              {generate, "Bearer " + apiToken, `{"ttl":0}`, http.StatusBadRequest},
		"ttl negative":          {generate, "Bearer " + apiToken, `{"ttl":-5}`, http.StatusBadRequest},
		"ttl missing":           {generate, "Bearer " + apiToken, `{}`, http.StatusBadRequest},
		"ttl a string":          {generate, "Bearer " + apiToken, `{"ttl":"60"}`, http.StatusBadRequest},
		"not JSON":              {generate, "Bearer " + apiToken, `ttl=60`, http.StatusBadRequest},
		"endless identifier":    {generate, "Bearer " + apiToken, `{"ttl":60,"customIdentifier":"` + strings.Repeat("x", 300) + `"}`, http.StatusBadRequest},
		"endless body":          {generate, "Bearer " + apiToken, `{"ttl":60` + strings.Repeat(" ", 5000) + `}`, http.StatusRequestEntityTooLarge},
		"revoking the unknown":  {"/v1/turn/keys/key1/credentials/nobody/revoke", "Bearer " + apiToken, "", http.StatusNotFound},
		"ttl of 48 hours works": {generate, "Bearer " + apiToken, `{"ttl":172800}`, http.StatusCreated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api, web := start(t)
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+tt.path, strings.NewReader(tt.body))
			req.Header.Set("Authorization", tt.token)
			rec := httptest.NewRecorder()
			api.ServeHTTP(rec, req)
			if rec.Code != tt.want {
				t.Errorf("status %d, want %d: %s", rec.Code, tt.want, rec.Body)
			}
			if refused := rec.Code != http.StatusCreated; refused == (len(api.Issued()) > 0) {
				t.Errorf("refused: %v, issued: %d", refused, len(api.Issued()))
			}
			if api.Requests() != 1 {
				t.Errorf("%d requests counted, want 1", api.Requests())
			}
		})
	}
}

// post answers a request with the right token, without a network.
func post(ctx context.Context, api *fakecloudflare.Server, path string) (status int) {
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(`{"ttl":60}`))
	req.Header.Set("Authorization", "Bearer "+apiToken)
	rec := httptest.NewRecorder()
	api.ServeHTTP(rec, req)
	return rec.Code
}

func TestCredentialsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, err := fakecloudflare.New(fakecloudflare.Config{KeyID: keyID, APIToken: apiToken, TURNSecret: secret})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			post(t.Context(), api, generate)
		}
		revoked, other := api.Issued()[0].Username, api.Issued()[1].Username
		for range 2 { // the second time changes nothing
			if status := post(t.Context(), api, "/v1/turn/keys/key1/credentials/"+revoked+"/revoke"); status != http.StatusNoContent {
				t.Fatalf("revoke: status %d, want 204", status)
			}
		}
		if api.Authorised(revoked) || !api.Authorised(other) || len(api.Live(time.Now())) != 1 {
			t.Errorf("revoked is authorised: %v, other: %v, live: %d",
				api.Authorised(revoked), api.Authorised(other), len(api.Live(time.Now())))
		}
		time.Sleep(time.Minute) //nolint:forbidigo // a fake clock
		if api.Authorised(other) || len(api.Live(time.Now())) != 0 {
			t.Error("a credential lives on after its ttl")
		}
		if api.Authorised("1800000000:stranger") {
			t.Error("a username that was never issued is authorised")
		}
	})
}

func TestForms(t *testing.T) {
	api, web := start(t)
	tests := map[string]struct {
		path string
		body fakecloudflare.Body
		want string // how the answer begins
	}{
		"list":       {generate, "", `{"iceServers":[{"urls":["stun:`},
		"older call": {strings.TrimSuffix(generate, "-ice-servers"), "", `{"iceServers":{"urls":["stun:`},
		"object":     {generate, fakecloudflare.BodyObject, `{"iceServers":{"urls":["stun:`},
		"merged":     {generate, fakecloudflare.BodyMerged, `{"iceServers":[{"urls":["stun:`},
		"single URL": {generate, fakecloudflare.BodySingleURL, `{"iceServers":[{"credential":`},
		"no TURN":    {generate, fakecloudflare.BodyNoTURN, `{"iceServers":[{"urls":["stun:192.0.2.1:3478","stun:192.0.2.1:53"]}]}`},
		"HTML":       {generate, fakecloudflare.BodyHTML, `<html>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api.SetFault(fakecloudflare.Fault{Body: tt.body})
			status, body := call(t, web, http.MethodPost, tt.path, `{"ttl":60}`)
			if status != http.StatusCreated || !strings.HasPrefix(body, tt.want) {
				t.Errorf("%d %s, want 201 %s…", status, body, tt.want)
			}
		})
	}
}

func TestNewRefusesIncompleteConfig(t *testing.T) {
	whole := fakecloudflare.Config{KeyID: keyID, APIToken: apiToken, TURNSecret: secret}
	if _, err := fakecloudflare.New(whole); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*fakecloudflare.Config){
		"no key":       func(c *fakecloudflare.Config) { c.KeyID = "" },
		"no token":     func(c *fakecloudflare.Config) { c.APIToken = "" },
		"no secret":    func(c *fakecloudflare.Config) { c.TURNSecret = "" },
		"no ICE URL":   func(c *fakecloudflare.Config) { c.ICEURLs = []string{"http://192.0.2.1"} },
		"no transport": func(c *fakecloudflare.Config) { c.ICEURLs = []string{"turn:192.0.2.1:3478"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := whole
			spoil(&cfg)
			if _, err := fakecloudflare.New(cfg); err == nil || strings.Contains(err.Error(), apiToken) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestHangEnds(t *testing.T) {
	tests := map[string]struct {
		fault fakecloudflare.Fault
		end   func(*fakecloudflare.Server, context.CancelFunc)
		want  int // credentials issued
		after time.Duration
	}{
		"when the fault is cleared": {
			fault: fakecloudflare.Fault{Hang: true, Times: 1},
			end:   func(api *fakecloudflare.Server, _ context.CancelFunc) { api.ClearFault() },
			want:  1,
		},
		"when the client gives up": {
			fault: fakecloudflare.Fault{Hang: true},
			end:   func(_ *fakecloudflare.Server, giveUp context.CancelFunc) { giveUp() },
			want:  0,
		},
		"a delay by itself": {
			fault: fakecloudflare.Fault{DelayMS: 1500},
			end:   func(*fakecloudflare.Server, context.CancelFunc) {},
			want:  1,
			after: 1500 * time.Millisecond,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := fakecloudflare.New(fakecloudflare.Config{KeyID: keyID, APIToken: apiToken, TURNSecret: secret})
				if err != nil {
					t.Fatal(err)
				}
				api.SetFault(tt.fault)
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				started, answered := time.Now(), make(chan struct{})
				go func() {
					defer close(answered)
					post(ctx, api, generate)
				}()
				synctest.Wait()
				select {
				case <-answered:
					t.Fatal("answered while it should hang")
				default:
				}
				tt.end(api, giveUp)
				<-answered
				if n := len(api.Issued()); n != tt.want || time.Since(started) != tt.after {
					t.Errorf("%d issued after %v, want %d after %v", n, time.Since(started), tt.want, tt.after)
				}
			})
		})
	}
}

func TestDropClosesTheConnection(t *testing.T) {
	api, web := start(t)
	api.SetFault(fakecloudflare.Fault{Drop: true})
	res, err := web.Client().Post(web.URL+generate, "application/json", strings.NewReader("{}"))
	if err == nil {
		_ = res.Body.Close()
		t.Error("answered, want a dropped connection")
	}
}
