package turn_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/internal/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const apiToken = "s3cr3t-api-token"

// pipes is a network of one server: every connection is a pipe in memory, so
// that clocks of testing/synctest run while somebody waits for the other end.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// client returns the real provider before any handler, over HTTP.
func client(t *testing.T, handler http.Handler) *turn.Cloudflare {
	t.Helper()
	network := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(network)
	}()
	provider, err := turn.NewCloudflare(turn.CloudflareConfig{
		BaseURL: "http://127.0.0.1", KeyID: "key1", APIToken: apiToken, DialContext: network.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		provider.Close()
		_ = server.Close()
		<-ended
	})
	return provider
}

// fake returns the real provider before a fake API.
func fake(t *testing.T) (*turn.Cloudflare, *fakecloudflare.Server) {
	t.Helper()
	api, err := fakecloudflare.New(fakecloudflare.Config{
		KeyID: "key1", APIToken: apiToken, TURNSecret: "secret1",
		ICEURLs: []string{"turn:192.0.2.1:3478?transport=udp", "turns:192.0.2.1:5349?transport=tcp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	provider := client(t, api)
	t.Cleanup(api.ClearFault)
	return provider, api
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
