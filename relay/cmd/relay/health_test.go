package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/certificate/certtest"
)

// serveUntil runs a relay on a free port and returns where, and how to stop it.
func (s *shell) serveUntil() (address string, stop func()) {
	s.t.Helper()
	ready := filepath.Join(s.dir, "ready")
	ctx, cancel := context.WithCancel(s.t.Context())
	var stdout, stderr bytes.Buffer
	status := make(chan int, 1)
	go func() {
		args := []string{"serve", "--listen=127.0.0.1:0", "--ready-file=" + ready}
		status <- run(ctx, args, s.environ, strings.NewReader(""), &stdout, &stderr)
	}()
	return waitForFile(s.t, ready, status), func() {
		cancel()
		if got := <-status; got != cli.ExitOK {
			s.t.Errorf("status %d, log:\n%s", got, stderr.String())
		}
	}
}

func TestHealth(t *testing.T) {
	for name, tls := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t, "JWT_SECRET="+testSecret)
			if tls {
				cert, key := s.certificate(time.Now().Add(time.Hour))
				s.environ = append(s.environ, "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key)
			}
			address, stop := s.serveUntil()
			if got := s.must("", "health", "--listen="+address); got != "ok\n" {
				t.Errorf("got %q", got)
			}
			stop()
			status, stdout, stderr := s.run("", "health", "--listen="+address)
			if status != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, "does not answer") {
				t.Errorf("status %d: %s%s", status, stdout, stderr)
			}
		})
	}
}

func TestHealthOfSomethingElse(t *testing.T) {
	s := newShell(t)
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	status, _, stderr := s.run("", "health", "--listen="+other.Listener.Addr().String())
	if status != cli.ExitFailed || !strings.Contains(stderr, "answers 404") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, _, stderr = s.run("", "health", "--port=0"); status != cli.ExitFailed || !strings.Contains(stderr, "no fixed port") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// certificate writes one, and its key, and returns the files.
func (s *shell) certificate(expires time.Time) (cert, key string) {
	s.t.Helper()
	chain, secret := certtest.New(s.t, "relay", expires)
	cert, key = filepath.Join(s.dir, "cert.pem"), filepath.Join(s.dir, "key.pem")
	writeFile(s.t, cert, string(chain))
	writeFile(s.t, key, string(secret))
	return cert, key
}

// TestConfigCheckLooksAtFiles that the configuration names, and makes none.
func TestConfigCheckLooksAtFiles(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret)
	cert, key := s.certificate(time.Now().Add(24 * time.Hour))
	if got := s.must("", "config", "check", "--tls-cert-file="+cert, "--tls-key-file="+key); !strings.Contains(got, "certificate expires") {
		t.Errorf("got:\n%s", got)
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, "*.db*")); len(left) > 0 || err != nil {
		t.Errorf("made %v, %v", left, err)
	}
	for want, args := range map[string][]string{
		"relay: TLS_CERT_FILE: certificate no.pem with key " + key + ": open no.pem":                   {"--tls-cert-file=no.pem", "--tls-key-file=" + key},
		"relay: TLS_CERT_FILE: certificate " + key:                                                     {"--tls-cert-file=" + key, "--tls-key-file=" + cert},
		"relay: TLS_KEY_FILE: is not set":                                                              {"--tls-cert-file=" + cert},
		"relay: DATABASE_URL: reach database no/such/wimz.db: stat no/such: no such file or directory": {"--database-url=no/such/wimz.db"},
		"relay: DATABASE_URL: reach database .: open .: is a directory":                                {"--database-url=."},
		"relay: TRUSTED_PROXIES: ":                                                                     {"--trusted-proxies=everybody"},
	} {
		status, stdout, stderr := s.run("", append([]string{"config", "check"}, args...)...)
		if status != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("status %d, %q is not all of:\n%s", status, want, stderr)
		}
	}
	cert, key = s.certificate(time.Now().Add(-time.Hour))
	if _, _, stderr := s.run("", "config", "check", "--tls-cert-file="+cert, "--tls-key-file="+key); !strings.Contains(stderr, "renew it") {
		t.Errorf("got:\n%s", stderr)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "no")); err == nil {
		t.Error("a folder was made")
	}
}
