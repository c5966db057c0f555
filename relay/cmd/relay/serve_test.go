package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/cli"
)

// TestServe starts a relay on a free port, reads where from the ready file, talks
// to it, and stops it as a signal would.
func TestServe(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret, "LOG_FORMAT=json")
	ready, admin := filepath.Join(s.dir, "ready"), filepath.Join(s.dir, "admin")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr bytes.Buffer
	status := make(chan int, 1)
	go func() {
		args := []string{"serve", "--listen=127.0.0.1:0", "--ready-file=" + ready, "--admin-ready-file=" + admin}
		status <- run(ctx, args, s.environ, strings.NewReader(""), &stdout, &stderr)
	}()

	for _, file := range []string{ready, admin} {
		conn, err := net.Dial("tcp", waitForFile(t, file, status))
		if err != nil {
			t.Error(err)
		} else {
			_ = conn.Close()
		}
	}
	stop()
	if got := <-status; got != cli.ExitOK || stdout.Len() != 0 {
		t.Errorf("status %d, output %q, log:\n%s", got, stdout.String(), stderr.String())
	}
	if !strings.HasPrefix(stderr.String(), `{"time":`) || strings.Contains(stderr.String(), testSecret) {
		t.Errorf("the log:\n%s", stderr.String())
	}
	for _, file := range []string{ready, admin} {
		if _, err := os.Stat(file); err == nil {
			t.Error("the ready file is still there")
		}
	}
}

func TestServeCannotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := newShell(t, "JWT_SECRET="+testSecret)
	status, _, stderr := s.run("", "serve", "--listen="+taken.Addr().String())
	if status != cli.ExitFailed || !strings.Contains(stderr, "address already in use") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestServeCannotAnnounce(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret)
	for _, flag := range []string{"--ready-file", "--admin-ready-file"} {
		status, _, stderr := s.run("", "serve", "--listen=127.0.0.1:0", flag+"=no/such/directory/ready")
		if status != cli.ExitFailed || !strings.Contains(stderr, "cannot write the ready file") {
			t.Errorf("%s: status %d: %s", flag, status, stderr)
		}
	}
}

// waitForFile returns the file's text once it is there.
func waitForFile(t *testing.T, name string, ended <-chan int) string {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		if text, err := os.ReadFile(name); err == nil {
			return string(text)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("no ready file")
		case status := <-ended:
			t.Fatalf("ended with status %d", status)
		}
	}
}
