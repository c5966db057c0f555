package viewer

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

const (
	// dialTimeout and answerTimeout bound what the proxy waits for the relay.
	dialTimeout   = 5 * time.Second
	answerTimeout = 15 * time.Second
	// maxRequest bounds the body of an API request in bytes.
	maxRequest = 64 << 10
)

// newProxy returns a proxy to the relay, for requests and WebSockets.
func newProxy(relay *url.URL, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { rewrite(r, relay) },
		Transport: &transport{http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: answerTimeout,
			IdleConnTimeout:       time.Minute,
		}},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.WarnContext(r.Context(), "the relay did not answer", "path", r.URL.Path, "error", err)
			refuse(w, http.StatusBadGateway, "The relay cannot be reached.")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		proxy.ServeHTTP(w, r)
	})
}

// rewrite addresses the request to the relay. The token of a socket moves from
// the query to a header; cookies and the page's Origin, which the relay does
// not know, stay here.
func rewrite(r *httputil.ProxyRequest, relay *url.URL) {
	r.SetURL(relay)
	r.Out.Header.Del("Origin")
	r.Out.Header.Del("Cookie")
	r.Out.Header.Del("Referer")
	if token := r.In.URL.Query().Get("token"); token != "" {
		r.Out.Header.Set("Authorization", "Bearer "+token)
	}
	r.Out.URL.RawQuery = ""
}

// transport tries a socket that is refused once more with its token in the query:
// some relays look nowhere else (CONTRACT §3.1).
type transport struct{ http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.Transport.RoundTrip(r)
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err != nil || answer.StatusCode != http.StatusUnauthorized || r.URL.Path != "/ws/app" || !ok {
		return answer, err
	}
	_ = answer.Body.Close() // nobody reads it
	again := r.Clone(r.Context())
	again.Header.Del("Authorization")
	again.URL.RawQuery = url.Values{"token": {token}}.Encode()
	return t.Transport.RoundTrip(again)
}
