package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

func TestMain(m *testing.M) {
	// Whoever runs the tests may be logged in.
	_ = os.Unsetenv("SIMAPP_RELAY")
	settings, err := os.MkdirTemp("", "simapp-test-")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("XDG_CONFIG_HOME", settings)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		_ = os.RemoveAll(settings)
		os.Exit(status)
	}))
}

// start runs the program with a standard input.
func start(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string // in either output
	}{
		"help":           {[]string{"--help"}, cli.ExitOK, "simapp watch"},
		"no command":     {[]string{"send", "--relay", "ws://h"}, cli.ExitUsage, "<command>"},
		"nobody sends":   {[]string{"send", "stop", "--relay", "ws://h"}, exitNotAllowed, "SIMAPP_TOKEN"},
		"nobody listens": {[]string{"events", "--relay", "ws://h"}, exitNotAllowed, "SIMAPP_TOKEN"},
		"login where":    {[]string{"login"}, cli.ExitUsage, "--relay"},
		"nobody lists":   {[]string{"devices", "--relay", "ws://h"}, exitNotAllowed, "simapp login"},
		"version":        {[]string{"--version"}, cli.ExitOK, ""},
		"nothing":        {nil, cli.ExitUsage, "see simapp --help"},
		"unknown":        {[]string{"dance"}, cli.ExitUsage, "see simapp --help"},
		"no relay":       {[]string{"watch"}, cli.ExitUsage, "--relay"},
		"for less":       {[]string{"watch", "--relay", "ws://h", "--for=-3s"}, cli.ExitUsage, "see simapp watch --help"},
		"bad codec":      {[]string{"watch", "--relay", "ws://h", "--codec", "av1"}, cli.ExitUsage, "--codec"},
		"nobody":         {[]string{"watch", "--relay", "ws://h"}, exitNotAllowed, "SIMAPP_TOKEN"},
		"no password":    {[]string{"watch", "--relay", "ws://h", "--email", "a@b.c"}, cli.ExitFailed, "--password-stdin"},
		"bad device":     {[]string{"watch", "--relay", "ws://h", "--token", "T", "--device", "a b"}, cli.ExitFailed, "\"a b\" is no device"},
		"pair what":      {[]string{"pair", "--relay", "ws://h"}, cli.ExitUsage, "<code>"},
		"pair nobody":    {[]string{"pair", "7K3M-9QXD", "--relay", "ws://h"}, exitNotAllowed, "SIMAPP_TOKEN"},
		"unpair what":    {[]string{"unpair", "--relay", "ws://h"}, cli.ExitUsage, "<id>"},
		"unpair nobody":  {[]string{"unpair", "wimz_1", "--relay", "ws://h"}, exitNotAllowed, "SIMAPP_TOKEN"},
		"unpair none":    {[]string{"unpair", "../x", "--relay", "ws://h", "--token", "T"}, cli.ExitFailed, "\"../x\" is no device"},
		"relay away":     {[]string{"watch", "--relay", "ws://127.0.0.1:1", "--token", "T", "--device", "x"}, exitUnreachable, "dial"},
		"bad relay":      {[]string{"serve", "--relay", "ftp://h"}, cli.ExitFailed, "ws://host:port"},
		"bad address":    {[]string{"serve", "--relay", "ws://h", "--listen", "nowhere"}, cli.ExitFailed, "--listen"},
		"bad ready file": {[]string{"serve", "--relay", "ws://h", "--listen", "127.0.0.1:0", "--ready-file", "/nowhere/f"}, cli.ExitFailed, "ready file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SIMAPP_TOKEN", "")
			status, stdout, stderr := start(t, "", c.args...)
			if status != c.status || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	var model *kong.Application
	program := cli.Program{Name: "simapp", Stdout: io.Discard, Stderr: io.Discard, Prepare: func(k *kong.Kong) { model = k.Model }}
	program.Parse(&grammar{}, nil)
	if len(model.Children) < 13 {
		t.Fatalf("%d commands", len(model.Children))
	}
	for _, command := range model.Children {
		status, stdout, _ := start(t, "", command.Name, "--help")
		if status != cli.ExitOK || command.Help == "" || !strings.Contains(stdout, "Example") ||
			strings.Count(stdout, "simapp "+command.Name) < 2 { // the usage is one
			t.Errorf("%s: status %d\n%s", command.Name, status, stdout)
		}
	}
}

// fakeAPI knows one account with the given devices.
func fakeAPI(t *testing.T, devices ...simapp.DeviceStatus) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"right horse"`) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"Invalid credentials"}`)
			return
		}
		_, _ = io.WriteString(w, `{"token":"T"}`)
	})
	mux.HandleFunc("GET /api/user/devices", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"devices": devices})
	})
	mux.HandleFunc("POST /api/device/pair", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer T":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(string(body), `"7K3M-9QXD"`):
			_, _ = io.WriteString(w, `{"success":true,"device_id":"wimz_1"}`)
		default:
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	mux.HandleFunc("DELETE /api/user/devices/wimz_1", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"success":true}`)
	})
	mux.HandleFunc("GET /ws/app", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer T" && r.URL.Query().Get("token") != "T" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestLoginAndChoice(t *testing.T) {
	t.Setenv("SIMAPP_TOKEN", "")
	one, two := simapp.DeviceStatus{DeviceID: "wimz_1", Online: true}, simapp.DeviceStatus{DeviceID: "wimz_2"}
	for name, c := range map[string]struct {
		devices  []simapp.DeviceStatus
		password string
		status   int
		want     string
	}{
		"wrong password": {nil, "wrong horse\n", exitNotAllowed, "check the password"},
		"no robot":       {nil, "right horse\n", cli.ExitFailed, "no robot yet"},
		"two robots":     {[]simapp.DeviceStatus{one, two}, "right horse\r\n", cli.ExitFailed, "wimz_1, wimz_2 (offline)"},
		"refused socket": {[]simapp.DeviceStatus{one}, "right horse", exitNotAllowed, "log in again"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, stderr := start(t, c.password, "watch",
				"--relay", fakeAPI(t, c.devices...), "--email", "a@b.c", "--password-stdin")
			if status != c.status || !strings.Contains(stderr, c.want) {
				t.Errorf("status %d, %s", status, stderr)
			}
			if strings.Contains(stderr, "horse") {
				t.Error("the password is in the error")
			}
		})
	}
}

func TestToldToStopItSaysSo(t *testing.T) {
	for _, args := range [][]string{
		{"devices"},
		{"watch"},
		{"drive"},
		{"send", "treat"},
		{"doctor"},
		{"pair", "7K3M-9QXD"},
		{"events"},
		{"load", "--robots", "DIR"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			stop()
			<-r.Context().Done()
		}))
		var said bytes.Buffer
		if args[0] == "load" {
			args[2] = t.TempDir()
			robot := []byte("cloud: {device_id: a, device_secret: hush}")
			if err := os.WriteFile(filepath.Join(args[2], "a.yaml"), robot, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		status := run(ctx, append(args, "--relay", server.URL, "--token", "T"), strings.NewReader(""), io.Discard, &said)
		server.Close()
		stop()
		if status != cli.ExitFailed || !strings.HasPrefix(said.String(), "simapp: stopped") || strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %s", args[0], status, &said)
		}
	}
}

func TestTokenInTheEnvironmentIsNamedWhenItIsRefused(t *testing.T) {
	t.Setenv("SIMAPP_TOKEN", "X")
	if _, _, stderr := start(t, "", "pair", "7K3M-9QXD", "--relay", fakeAPI(t)); !strings.Contains(stderr, "SIMAPP_TOKEN") {
		t.Error(stderr)
	}
}

func TestPairAndUnpair(t *testing.T) {
	t.Setenv("SIMAPP_TOKEN", "")
	relay := fakeAPI(t)
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"pair", "7K3M-9QXD", "--token", "T"}, cli.ExitOK, "paired with wimz_1\n"},
		{[]string{"pair", "7K3M-9QX0", "--token", "T"}, cli.ExitFailed, "the relay answered 429: Too Many Requests: try again in 30s\n"},
		{[]string{"pair", "7K3M-9QXD", "--token", "X"}, exitNotAllowed, "log in again"},
		{[]string{"pair", "7K3M-9QXD", "--email", "a@b.c", "--password-stdin"}, exitNotAllowed, "check the password"},
		{[]string{"unpair", "wimz_1", "--token", "T"}, cli.ExitOK, "unpaired wimz_1\n"},
		{[]string{"unpair", "wimz_2", "--token", "T"}, cli.ExitFailed, "the relay answered 404"},
	} {
		status, stdout, stderr := start(t, "wrong horse\n", append(c.args, "--relay", relay)...)
		if status != c.status || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%v: status %d\n%s%s", c.args, status, stdout, stderr)
		}
	}
}

func TestServeUntilToldToStop(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	login := filepath.Join(t.TempDir(), "login")
	if err := os.WriteFile(login, []byte("DEMO\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{
			"serve", "--relay", "ws://127.0.0.1:1", "--listen", "127.0.0.1:0",
			"--ready-file", ready, "--open-login-file", login,
		}, nil, io.Discard, io.Discard)
	}()
	base := "http://" + await(t, ready)
	if body := fetch(t, base+"/"); !strings.Contains(body, "<title>WIM-Z live</title>") {
		t.Errorf("page %q", body)
	}
	if body := fetch(t, base+"/demo-session"); !strings.Contains(body, "DEMO") {
		t.Errorf("demo session %q", body)
	}
	if err := os.Remove(login); err != nil {
		t.Fatal(err)
	}
	if body := fetch(t, base+"/demo-session"); strings.Contains(body, "DEMO") {
		t.Errorf("an old token was handed out")
	}
	stop()
	if status := <-ended; status != cli.ExitOK {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(ready); !errors.Is(err, os.ErrNotExist) {
		t.Error("the ready file is still there")
	}
}

// await returns the content of a file once it is there.
func await(t *testing.T, name string) string {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if data, err := os.ReadFile(name); err == nil {
			return strings.TrimSpace(string(data))
		}
		<-tick.C
	}
	t.Fatal("it was never ready")
	return ""
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func TestDevices(t *testing.T) {
	one, two := simapp.DeviceStatus{DeviceID: "wimz_1", Online: true}, simapp.DeviceStatus{DeviceID: "wimz_22"}
	for want, args := range map[string][]string{
		"ROBOT    STATE\nwimz_1   online\nwimz_22  offline\n":         {fakeAPI(t, one, two)},
		"This account has no robot yet. Pair one: simapp pair CODE\n": {fakeAPI(t)},
		"[]\n": {fakeAPI(t), "--json"},
		"[\n  {\n    \"device_id\": \"wimz_1\",\n    \"is_online\": true\n  }\n]\n": {fakeAPI(t, one), "--json"},
	} {
		status, stdout, stderr := start(t, "", append([]string{"devices", "--token", "T", "--relay"}, args...)...)
		if status != cli.ExitOK || stdout != want {
			t.Errorf("status %d\n%s%s", status, stdout, stderr)
		}
	}
}

func TestEveryErrorSaysWhatToDo(t *testing.T) {
	errs := []error{
		client.ErrUnauthorized, simapp.ErrICEFailed, simapp.ErrNoCodec,
		&simapp.ClosedError{Reason: wire.ReasonRobotGone}, &simapp.TimeoutError{Missing: "it"},
		fmt.Errorf("log in: %w", &simapp.APIError{Status: 401, Detail: "no"}),
	}
	for _, code := range []wire.Code{
		wire.CodeNoDevice, wire.CodeNotAuthorized, wire.CodeDeviceOffline, wire.CodeTURNError,
		wire.CodeViewerLimit, wire.CodeOfferTimeout, wire.CodeAnswerTimeout,
		wire.CodeSessionUnknown, wire.CodeStaleCommand, wire.CodeRateLimited, wire.CodeInternal,
	} {
		errs = append(errs, &simapp.RelayError{Code: code, Text: "no"})
	}
	for _, code := range []wire.Code{"NO_SOFTWARE", "BUSY", "TAKEN_OVER", "STOPPED"} {
		errs = append(errs, &simapp.RefusedError{Code: code, Text: "no"})
	}
	errs = append(errs, errUnreachable)
	for _, err := range errs {
		got := explain(err)
		if advise(err) == "" || !errors.Is(got, err) && !strings.Contains(got.Error(), err.Error()) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if got := advise(&simapp.ClosedError{Reason: wire.ReasonUnauthorized}); !strings.Contains(got, "login has ended") {
		t.Error(got)
	}
	if explain(nil) != nil {
		t.Error("no error became one")
	}
}

func TestEventLines(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := wire.Stamp(now)
	for _, c := range []struct {
		m     wire.Message
		words string
	}{
		{wire.Message{Type: wire.TypeRobotStatus, DeviceID: "w", Online: new(true)}, "03:04:05  w  online"},
		{wire.Message{Type: wire.TypeRobotStatus, DeviceID: "w", Online: new(false)}, "03:04:05  w  offline"},
		{wire.Message{Event: "bark", DeviceID: "w", Timestamp: at}, "03:04:05  w  bark  {}"},
		{wire.Message{Type: "event", Event: "bark", DeviceID: "w", Timestamp: at}, "03:04:05  w  bark  {}"},
		{wire.Message{Type: "battery", DeviceID: "w", Timestamp: at, Fields: wire.Raw(`"level":78`)}, `03:04:05  w  battery  {"level":78}`},
		{wire.Message{Event: "evil", DeviceID: "w", Timestamp: at, Fields: wire.Raw(`"a":"é` + "\u009b2J\u202e" + `"`)}, `03:04:05  w  evil  {"a":"é` + "\uFFFD2J\uFFFD" + `"}`},
	} {
		all, one, other := &eventsCmd{}, &eventsCmd{Device: "w", JSON: true}, &eventsCmd{Device: "v"}
		if !all.wants(c.m) || !one.wants(c.m) || other.wants(c.m) {
			t.Errorf("%s: shown to the wrong one", c.m)
		}
		if got := all.line(c.m, now); got != c.words {
			t.Errorf("got %q, want %q", got, c.words)
		}
		if got := one.line(c.m, now); got != string(wire.Encode(c.m)) {
			t.Errorf("got %s", got)
		}
	}
	if (&eventsCmd{}).wants(wire.Message{Type: wire.TypeCredentials}) {
		t.Error("credentials are printed")
	}
}

func TestSnapshot(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "p.png")
	if _, err := openSnapshot(filepath.Join(folder, "none", "p.png")); err == nil {
		t.Error("it is found out at the end that there is no such folder")
	}
	old := []byte("what was there")
	for _, before := range [][]byte{nil, old} {
		if before != nil {
			if err := os.WriteFile(name, before, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := openSnapshot(name)
		if err != nil || s.close() != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); (err != nil) != (before == nil) || !bytes.Equal(got, before) {
			t.Errorf("without a picture: %q, %v", got, err)
		}
	}
	s, err := openSnapshot(name)
	if err != nil {
		t.Fatal(err)
	}
	whole := image.NewYCbCr(image.Rect(0, 0, 64, 32), image.YCbCrSubsampleRatio420)
	for i := range whole.Y {
		whole.Y[i], whole.Cb[i/4], whole.Cr[i/4] = byte(i), 128, 128
	}
	s.keep(whole)
	clear(whole.Y) // it was only borrowed
	if err = s.close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it is only read
	got, err := png.Decode(file)
	if err != nil || got.Bounds() != image.Rect(0, 0, 64, 32) {
		t.Fatalf("%v, %v", got.Bounds(), err)
	}
	if _, ok := got.(*image.RGBA); !ok {
		t.Errorf("a %T", got)
	}
	_, dark, _, _ := got.At(0, 0).RGBA()
	_, light, _, _ := got.At(63, 3).RGBA()
	if light <= dark {
		t.Errorf("green %d at luma 0, %d at luma 255", dark, light)
	}
}
