package relay_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wimz.dev/live/relay"
	"wimz.dev/live/relay/internal/certificate/certtest"
)

// certificate writes a new one for 127.0.0.1 and returns those who trust it.
func certificate(t *testing.T, cfg relay.Config) *x509.CertPool {
	t.Helper()
	chain, key := certtest.New(t, "relay", time.Now().Add(time.Hour))
	for name, data := range map[string][]byte{cfg.TLSCertFile: chain, cfg.TLSKeyFile: key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	return trusted
}

// TestTLS: robots and apps are served over TLS, and a new certificate is in use
// within seconds while those who are connected stay so.
func TestTLS(t *testing.T) {
	cfg := config(t)
	dir := t.TempDir()
	cfg.TLSCertFile, cfg.TLSKeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	before := certificate(t, cfg)
	token := accounts(t, cfg)
	r, _ := serve(t, cfg, slog.New(slog.DiscardHandler))

	shake := func(config *tls.Config) (tls.ConnectionState, error) {
		dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: config}
		conn, err := dialer.DialContext(t.Context(), "tcp", r.Addr())
		if err != nil {
			return tls.ConnectionState{}, err
		}
		return conn.(*tls.Conn).ConnectionState(), conn.Close() //nolint:forcetypeassert // what the dialer returns
	}
	if state, err := shake(&tls.Config{RootCAs: before, NextProtos: []string{"h2", "http/1.1"}}); err != nil || state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("%q, %v: WebSockets need HTTP/1.1", state.NegotiatedProtocol, err)
	}
	if _, err := shake(&tls.Config{RootCAs: before, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}

	app := upgrade(t, r, before, token)

	after := certificate(t, cfg)
	for deadline := time.Now().Add(patience); ; {
		_, err := shake(&tls.Config{RootCAs: after})
		if err == nil {
			break
		}
		unknown := (*tls.CertificateVerificationError)(nil)
		if !errors.As(err, &unknown) || time.Now().After(deadline) {
			t.Fatalf("the new certificate is not in use: %v", err)
		}
	}
	if _, err := app.Write([]byte("\x89\x80\x00\x00\x00\x00")); err != nil { // a ping
		t.Fatal(err)
	}
	pong := []byte("\x8a\x00")
	for heard := []byte(nil); !bytes.HasSuffix(heard, pong); {
		next := make([]byte, 1)
		if _, err := app.Read(next); err != nil {
			t.Fatalf("the app did not stay connected: %v", err)
		}
		heard = append(heard, next...)
	}
}

// upgrade opens an app's socket by hand.
func upgrade(t *testing.T, r *relay.Relay, trusted *x509.CertPool, token string) net.Conn {
	t.Helper()
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{RootCAs: trusted}}
	conn, err := dialer.DialContext(t.Context(), "tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, "GET /ws/app HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer "+token+"\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	status := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, status); err != nil || string(status) != "HTTP/1.1 101" {
		t.Fatalf("%s, %v", status, err)
	}
	return conn
}

// TestTLSWithoutCertificate: a relay that can't speak TLS does not start.
func TestTLSWithoutCertificate(t *testing.T) {
	cfg := config(t)
	cfg.TLSCertFile, cfg.TLSKeyFile = "no/cert.pem", "no/key.pem"
	if _, err := relay.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestTooManyConnections: one too many is served when another has ended, and
// who sends no request ends soon.
func TestTooManyConnections(t *testing.T) {
	cfg := config(t)
	cfg.Connections, cfg.HeaderTime = 2, 300*time.Millisecond
	r, _ := serve(t, cfg, slog.New(slog.DiscardHandler))
	for range 2 {
		idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = idle.Close() }()
	}
	began := time.Now()
	if status, text := ask(t, "GET", "http://"+r.Addr()+"/health", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if waited := time.Since(began); waited < cfg.HeaderTime/2 {
		t.Errorf("the third connection was served after %s, beside two others", waited)
	}
}
