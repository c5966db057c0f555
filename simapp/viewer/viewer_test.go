package viewer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"wimz.dev/live/simapp/viewer"
)

// seen is what the fake relay was asked.
type seen struct {
	path, query string
	header      http.Header
}

// queryOnly is a token that the relay takes in the query only.
const queryOnly = "SECRET+OLD"

// start serves the viewer in front of a relay that answers with 200, and
// upgrades sockets to an echo of bytes.
func start(t *testing.T, demo func() (string, error)) (base string, asked <-chan seen, log *bytes.Buffer) {
	t.Helper()
	requests := make(chan seen, 10)
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- seen{r.URL.Path, r.URL.RawQuery, r.Header.Clone()}
		switch {
		case r.Header.Get("Authorization") == "Bearer "+queryOnly:
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("Upgrade") != "":
			echo(t, w)
		}
	}))
	t.Cleanup(relay.Close)
	log = &bytes.Buffer{}
	cfg := viewer.Config{
		RelayURL: strings.Replace(relay.URL, "http", "ws", 1), DemoToken: demo,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return serve(t, cfg), requests, log
}

// serve runs the server until the test ends.
func serve(t *testing.T, cfg viewer.Config) (base string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- viewer.Serve(ctx, listener, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

func echo(t *testing.T, w http.ResponseWriter) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close() //nolint:errcheck // the test has ended
	_ = buffered.Flush()
	_, _ = io.Copy(conn, buffered)
}

type answer struct {
	status int
	header http.Header
	body   string
}

// get sends a request with headers, given as pairs; "Host" sets the host.
func get(t *testing.T, address string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func TestPageIsServedWithItsPolicy(t *testing.T) {
	base, _, _ := start(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html", "/app.js": "javascript", "/style.css": "text/css", "/icon.svg": "image/svg",
		"/config.json": "application/json",
	} {
		got := get(t, base+path)
		if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d, %s", path, got.status, got.header.Get("Content-Type"))
		}
		if !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") ||
			got.header.Get("X-Content-Type-Options") != "nosniff" ||
			got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, got.header)
		}
	}
	got := get(t, base+"/config.json")
	if !strings.Contains(got.body, `"demo":false`) || !strings.Contains(got.body, `"relay":"ws://127.0.0.1:`) {
		t.Errorf("config %s", got.body)
	}
	if got := get(t, base+"/page/index.html"); got.status != http.StatusNotFound {
		t.Error("files are served under a second name")
	}
	if got := get(t, base+"/demo-session", "Sec-Fetch-Site", "same-origin"); got.status != http.StatusNotFound {
		t.Error("there is a demo session nobody asked for")
	}
}

func TestAPIGoesToTheRelay(t *testing.T) {
	base, asked, _ := start(t, nil)
	answered := get(t, base+"/api/user/devices",
		"Authorization", "Bearer T", "Origin", base, "Cookie", "a=b", "Referer", base)
	got := <-asked
	if answered.status != http.StatusOK || got.path != "/api/user/devices" {
		t.Errorf("%d, %+v", answered.status, got)
	}
	if got.header.Get("Authorization") != "Bearer T" {
		t.Error("the login was lost")
	}
	for _, name := range []string{"Origin", "Cookie", "Referer"} {
		if got.header.Get(name) != "" {
			t.Errorf("%s went to the relay", name)
		}
	}
}

// open opens a socket as the page does, and returns its two directions.
func open(t *testing.T, base, token string) (conn net.Conn, reader *bufio.Reader) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, "GET /ws/app?token="+url.QueryEscape(token)+" HTTP/1.1\r\nHost: "+strings.TrimPrefix(base, "http://")+
		"\r\nOrigin: "+base+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reader = bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil) //nolint:bodyclose // it is the connection
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", response, err)
	}
	return conn, reader
}

// TestSocketTokenIsInTheQueryWhereItMustBe: another maker's relay looks nowhere else.
func TestSocketTokenIsInTheQueryWhereItMustBe(t *testing.T) {
	base, asked, log := start(t, nil)
	conn, _ := open(t, base, queryOnly)
	<-asked
	if got := <-asked; got.query != "token=SECRET%2BOLD" || got.header.Get("Authorization") != "" {
		t.Errorf("the relay was asked %+v", got)
	}
	_ = conn.Close()
	if strings.Contains(log.String(), "SECRET") {
		t.Error("the token is in the log")
	}
}

func TestSocketTokenBecomesAHeader(t *testing.T) {
	base, asked, log := start(t, nil)
	conn, reader := open(t, base, "SECRET")
	got := <-asked
	if got.path != "/ws/app" || got.query != "" || got.header.Get("Authorization") != "Bearer SECRET" {
		t.Errorf("the relay was asked %+v", got)
	}
	if got.header.Get("Origin") != "" {
		t.Error("the relay would refuse the Origin")
	}
	_, _ = io.WriteString(conn, "hello")
	back := make([]byte, 5)
	if _, err := io.ReadFull(reader, back); err != nil || string(back) != "hello" {
		t.Errorf("%q, %v", back, err)
	}
	_ = conn.Close()
	if strings.Contains(log.String(), "SECRET") {
		t.Error("the token is in the log")
	}
}

func TestOtherPagesAreRefused(t *testing.T) {
	base, asked, _ := start(t, nil)
	for _, header := range [][]string{
		{"Origin", "http://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site", "Origin", base},
	} {
		for _, path := range []string{"/api/user/devices", "/ws/app?token=T"} {
			if got := get(t, base+path, header...); got.status != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, header, got.status)
			}
		}
	}
	if len(asked) != 0 {
		t.Error("the relay was asked")
	}
}

func TestDemoSessionIsForThisMachinesOwnPage(t *testing.T) {
	base, _, _ := start(t, func() (string, error) { return "DEMO", nil })
	host := strings.TrimPrefix(base, "http://")
	port := host[strings.LastIndex(host, ":"):]
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"own page":             {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"own page, by name":    {[]string{"Sec-Fetch-Site", "same-origin", "Host", "localhost" + port}, 200},
		"older browser":        {[]string{"Origin", base}, 200},
		"typed in":             {[]string{"Sec-Fetch-Site", "none"}, 403},
		"other page":           {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"other page, older":    {[]string{"Origin", "http://evil.example"}, 403},
		"no browser":           {nil, 403},
		"rebound name":         {[]string{"Sec-Fetch-Site", "same-origin", "Host", "evil.example" + port}, 403},
		"rebound name, older":  {[]string{"Origin", "http://evil.example", "Host", "evil.example"}, 403},
		"name like an address": {[]string{"Sec-Fetch-Site", "same-origin", "Host", "127.0.0.1.evil.example"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(t, base+"/demo-session", c.headers...)
			if got.status != c.want || strings.Contains(got.body, "DEMO") != (c.want == 200) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

func TestDemoSessionWithoutAToken(t *testing.T) {
	base, _, _ := start(t, func() (string, error) { return "", errors.New("no file") })
	got := get(t, base+"/demo-session", "Sec-Fetch-Site", "same-origin")
	if got.status != http.StatusServiceUnavailable {
		t.Error(got.status)
	}
}

func TestRelayThatIsAway(t *testing.T) {
	base := serve(t, viewer.Config{RelayURL: "ws://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)})
	got := get(t, base+"/api/user/devices")
	if got.status != http.StatusBadGateway || !strings.Contains(got.body, "cannot be reached") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRelayWithoutAnAddress(t *testing.T) {
	if _, err := viewer.Handler(viewer.Config{RelayURL: "h:1", Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("it is served")
	}
}

// Sockets are hijacked connections, which the server does not know any more.
func TestServeEndsWithOpenSockets(t *testing.T) {
	var conn net.Conn
	t.Cleanup(func() { _ = conn.Close() }) // after start's own clean-up, which waits for the server
	base, asked, _ := start(t, nil)
	var err error
	conn, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /ws/app HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	<-asked
}
