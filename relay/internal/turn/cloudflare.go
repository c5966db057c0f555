package turn

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"wimz.dev/live/relay/internal/config"
)

const (
	// maxAnswer bounds the body of an answer, in bytes; real ones have 800.
	maxAnswer = 64 << 10
	// retryPause is waited before the second attempt.
	retryPause = 200 * time.Millisecond
	// maxRetryAfter is the longest Retry-After that is worth waiting for: a
	// person waits for the answer.
	maxRetryAfter = 2 * time.Second
	// idleTimeout keeps a connection, so that the next viewer saves the TLS
	// handshake.
	idleTimeout = 90 * time.Second
)

// CloudflareConfig configures a [Cloudflare] provider.
type CloudflareConfig struct {
	// BaseURL is scheme and host, https://rtc.live.cloudflare.com if empty.
	BaseURL string
	// KeyID names the TURN key, APIToken is the bearer token that belongs to it.
	KeyID    string
	APIToken config.Secret
	// RequestTimeout bounds one attempt from dialling to the last byte of the
	// answer; 5 s if zero.
	RequestTimeout time.Duration
	// DialContext opens connections; a plain dialler if nil.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Cloudflare is the [Provider] that speaks to the key API of Cloudflare's TURN
// service (CONTRACT §7).
type Cloudflare struct {
	credentials *url.URL // …/v1/turn/keys/{key}/credentials
	client      *http.Client
	// authorise adds the token. A closure: printing the provider shows none.
	authorise func(http.Header)
}

// NewCloudflare checks the configuration. It opens no connection.
func NewCloudflare(cfg CloudflareConfig) (*Cloudflare, error) {
	if cfg.KeyID == "" || cfg.APIToken == "" {
		return nil, errors.New("turn: key id and API token are required")
	}
	base, err := url.Parse(cmp.Or(cfg.BaseURL, "https://rtc.live.cloudflare.com"))
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, errors.New("turn: the base URL is not an http(s) URL with a host")
	}
	total := cmp.Or(cfg.RequestTimeout, 5*time.Second)
	dial := cfg.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: total}).DialContext
	}
	return &Cloudflare{
		credentials: base.JoinPath("v1", "turn", "keys", url.PathEscape(cfg.KeyID), "credentials"),
		authorise:   func(h http.Header) { h.Set("Authorization", "Bearer "+cfg.APIToken.Reveal()) },
		client: &http.Client{
			Timeout: total,
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				DialContext:            dial,
				TLSHandshakeTimeout:    total,
				ResponseHeaderTimeout:  total,
				MaxResponseHeaderBytes: maxAnswer,
				MaxIdleConnsPerHost:    4,
				IdleConnTimeout:        idleTimeout,
				ForceAttemptHTTP2:      true,
			},
			// A redirect would carry the token to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close drops idle connections. Requests in flight are not disturbed.
func (c *Cloudflare) Close() { c.client.CloseIdleConnections() }

// Mint implements [Provider]. A failure that may pass (network, a status of
// 500 or more, 429 with a short Retry-After) is tried once more if the context
// leaves the time. Credentials of an answer that was lost on the way live
// until they expire: nobody knows their names.
func (c *Cloudflare) Mint(ctx context.Context, ttl time.Duration, customIdentifier string) (Credentials, error) {
	body, err := json.Marshal(struct {
		TTL              int64  `json:"ttl"`
		CustomIdentifier string `json:"customIdentifier,omitempty"`
	}{int64(ttl / time.Second), customIdentifier})
	if err != nil {
		return Credentials{}, fmt.Errorf("turn: encoding the request: %w", err)
	}
	issued := time.Now() // taken before the request: the expiry is never late
	res, err := c.post(ctx, body, "generate-ice-servers")
	if pause, again := retry(ctx, res, err); again && wait(ctx, pause) {
		issued = time.Now()
		res, err = c.post(ctx, body, "generate-ice-servers")
	}
	if err != nil {
		return Credentials{}, err
	}
	servers, err := parseAnswer(res.header.Get("Content-Type"), res.body)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{ICEServers: servers, IssuedAt: issued, ExpiresAt: issued.Add(ttl.Truncate(time.Second))}, nil
}

// Revoke implements [Provider]. It tries once: nobody waits for it, and the
// [Pool] has its own, more patient way to repeat it.
func (c *Cloudflare) Revoke(ctx context.Context, username string) error {
	_, err := c.post(ctx, nil, url.PathEscape(username), "revoke")
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// response is what one attempt brought, as far as it got.
type response struct {
	header http.Header
	body   []byte
}

// post makes one attempt. Its error is an [*Error].
func (c *Cloudflare) post(ctx context.Context, body []byte, path ...string) (response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.credentials.JoinPath(path...).String(), bytes.NewReader(body))
	if err != nil {
		return response{}, &Error{Kind: KindMalformed}
	}
	c.authorise(req.Header)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return response{}, transportError(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := response{header: res.Header}
	out.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if e := refusal(res.StatusCode); e != nil {
		e.RetryAfter, _ = retryAfter(res.Header)
		return out, e
	}
	switch {
	case err != nil:
		return out, transportError(err)
	case len(out.body) > maxAnswer:
		return out, &Error{Kind: KindTooLarge}
	}
	return out, nil
}

// retry decides whether a second attempt is worth it, and how long to wait.
func retry(ctx context.Context, r response, err error) (pause time.Duration, again bool) {
	var e *Error
	if !errors.As(err, &e) || !e.Temporary() {
		return 0, false
	}
	pause = retryPause
	if e.Status == http.StatusTooManyRequests {
		var told bool
		if pause, told = retryAfter(r.header); !told || pause > maxRetryAfter {
			return 0, false
		}
	}
	deadline, bounded := ctx.Deadline()
	return pause, !bounded || time.Until(deadline) > pause
}

// retryAfter reads a Retry-After in seconds (RFC 9110 §10.2.3); the form with a
// date is taken for none.
func retryAfter(h http.Header) (after time.Duration, told bool) {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// wait pauses, and reports false if the context ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
