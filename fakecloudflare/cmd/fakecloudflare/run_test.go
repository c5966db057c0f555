package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, args ...string) (options, error) {
	t.Helper()
	var opts options
	parser, err := kong.New(&opts, kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return opts, err
}

func TestOptions(t *testing.T) {
	t.Setenv("FAKECLOUDFLARE_API_TOKEN", "token1")
	t.Setenv("FAKECLOUDFLARE_TURN_SECRET", "secret1")
	opts, err := parse(t, "--key-id=k", "--ice-url=turn:a:1?transport=udp", "--ice-url=turn:a:1?transport=tcp")
	if err != nil {
		t.Fatal(err)
	}
	if opts.APIToken != "token1" || opts.TURNSecret != "secret1" || len(opts.ICEURLs) != 2 {
		t.Errorf("options %+v", opts)
	}
	if _, err := parse(t, "--ice-url=turn:a:1?transport=udp"); err == nil {
		t.Error("no key id, and no complaint")
	}
}

func TestRunServesAndEndsCleanly(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	opts := options{
		KeyID: "k", APIToken: "token1", TURNSecret: "secret1",
		Listen: "127.0.0.1:0", TURNListen: "127.0.0.1:0", ReadyFile: ready,
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, opts, slog.New(slog.DiscardHandler)) }()

	addr := waitForFile(t, ready, ended)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+addr+"/v1/turn/keys/k/credentials/generate-ice-servers", strings.NewReader(`{"ttl":60}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token1")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusCreated || !strings.Contains(string(body), "turn:127.0.0.1:") {
		t.Errorf("%d %s %v", res.StatusCode, body, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	good := options{KeyID: "k", APIToken: "t", TURNSecret: "s", Listen: "127.0.0.1:0", ICEURLs: []string{"turn:a:1?transport=udp"}}
	for name, spoil := range map[string]func(*options){
		"nothing to hand out":   func(o *options) { o.ICEURLs = nil },
		"a bad URL":             func(o *options) { o.ICEURLs = []string{"ftp://a"} },
		"a bad address":         func(o *options) { o.Listen = "nowhere" },
		"a bad TURN address":    func(o *options) { o.TURNListen = "nowhere" },
		"an unwritable file":    func(o *options) { o.ReadyFile = filepath.Join(t.TempDir(), "no", "such", "dir") },
		"no API token, by hand": func(o *options) { o.APIToken = "" },
	} {
		t.Run(name, func(t *testing.T) {
			opts := good
			spoil(&opts)
			if err := run(t.Context(), opts, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func waitForFile(t *testing.T, path string, ended <-chan error) string {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if content, err := os.ReadFile(path); err == nil {
			return string(content)
		}
		select {
		case err := <-ended:
			t.Fatalf("run ended early: %v", err)
		case <-t.Context().Done():
			t.Fatal("no ready file")
		case <-tick.C:
		}
	}
}
