package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const samples = "../../../testdata/config/"

// safeBuffer is written to by a program while the test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestCommandLine(t *testing.T) {
	t.Setenv("ROBOT_SECRET", "hunter2")
	for name, c := range map[string]struct {
		args   string
		status int
		stdout []string
		stderr []string
	}{
		"help":          {"--help", cli.ExitOK, []string{"Examples:", "robot run --config robot.yaml"}, nil},
		"help of run":   {"run --help", cli.ExitOK, []string{"SIGTERM", "--ready-file"}, nil},
		"version":       {"--version", cli.ExitOK, nil, nil},
		"check":         {"config check --config " + samples + "robot_good_minimal.yaml", cli.ExitOK, []string{"device_secret: '***'", "width: 1280", "# ok"}, nil},
		"check finds":   {"config check --config " + samples + "robot_bad_values.yaml", cli.ExitFailed, nil, []string{"robot_bad_values.yaml", "robot: webrtc.max_connections is 3"}},
		"run refuses":   {"run --config " + samples + "robot_bad_unknown_key.yaml", cli.ExitFailed, nil, []string{"line 8", "bitrate_kbps"}},
		"no file":       {"run --config no.yaml", cli.ExitFailed, nil, []string{"no.yaml"}},
		"no config":     {"run", cli.ExitUsage, nil, []string{"--config", "see robot run --help"}},
		"no command":    {"", cli.ExitUsage, nil, []string{"see robot --help"}},
		"unknown level": {"run --config x --log-level loud", cli.ExitUsage, nil, []string{"loud"}},
		"bad address":   {"run --listen nowhere --config " + samples + "robot_good_offline.yaml", cli.ExitFailed, nil, []string{"status.listen"}},
		"selftest": {
			"selftest --for 1s --config " + samples + "robot_good_small.yaml", cli.ExitOK,
			[]string{"PASS  camera  synthetic: 320x192", "PASS  h264", "PASS  vp8", "they show what the camera saw"},
			nil,
		},
		"selftest as JSON":  {"selftest --for 1s --json --config " + samples + "robot_good_small.yaml", cli.ExitOK, []string{`{"pass":true,"steps":[{"name":"camera"`, `"verification":"decoded"`}, nil},
		"selftest for ever": {"selftest --for 1h", cli.ExitFailed, nil, []string{"--for is 1h0m0s"}},
		"selftest fails":    {"selftest --config " + samples + "robot_bad_values.yaml", cli.ExitFailed, nil, []string{"webrtc.max_connections"}},
		"bad ready file": {
			"run --ready-file /no/such/dir/f --config " + samples + "robot_good_offline.yaml", cli.ExitFailed,
			nil,
			[]string{"cannot write the ready file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr safeBuffer
			if status := run(t.Context(), strings.Fields(c.args), &stdout, &stderr); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("stdout does not say %q:\n%s", want, stdout.String())
				}
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr does not say %q:\n%s", want, stderr.String())
				}
			}
			if strings.Contains(stdout.String()+stderr.String(), "hunter2") {
				t.Error("a secret shows")
			}
		})
	}
}

func TestRunUntilToldToStop(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr safeBuffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{
			"run", "--config", samples + "robot_good_offline.yaml",
			"--listen", "127.0.0.1:0", "--ready-file", ready, "--log-format", "json",
		}, &stdout, &stderr)
	}()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	var addr []byte
	for deadline := time.Now().Add(20 * time.Second); len(addr) == 0; <-poll.C {
		if addr, _ = os.ReadFile(ready); time.Now().After(deadline) {
			t.Fatal("not ready")
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(addr)+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("health: %s", response.Status)
	}
	stop()
	if status := <-ended; status != cli.ExitOK {
		t.Errorf("status %d:\n%s", status, stderr.String())
	}
	if _, err := os.Stat(ready); !os.IsNotExist(err) {
		t.Errorf("the ready file is left: %v", err)
	}
	if !strings.Contains(stderr.String(), `"msg":"robot starts"`) {
		t.Errorf("log:\n%s", stderr.String())
	}
}
