package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// apiTimeout bounds one HTTP request to the relay.
	apiTimeout = 10 * time.Second
	// maxAnswer bounds the body of its answer in bytes.
	maxAnswer = 1 << 20
)

// API is the relay's HTTP API (CONTRACT §2) as one party sees it.
type API struct {
	// URL is the relay's address: ws, wss, http or https, host and port.
	URL string
	// As is who asks; the zero Identity is nobody.
	As Identity
}

// APIError is a refusal by the relay's HTTP API.
type APIError struct {
	Status     int           // HTTP status
	Detail     string        // what the relay says of it, for people
	RetryAfter time.Duration // when another request may succeed; zero if unknown
}

func (e *APIError) Error() string {
	return fmt.Sprintf("the relay answered %d: %s", e.Status, e.Detail)
}

// Call makes one request. body and answer are JSON; a nil body is none. A refusal
// is an [*APIError]. A redirect is refused, too: credentials go to nobody else.
func (a API) Call(ctx context.Context, method, path string, body, answer any) error {
	address, err := HTTPURL(a.URL)
	if err != nil {
		return err
	}
	address.Path = path
	ctx, cancel := context.WithTimeoutCause(ctx, apiTimeout, errors.New("the relay did not answer in time"))
	defer cancel()
	request, err := a.request(ctx, method, address.String(), body)
	if err != nil {
		return err
	}
	client := http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	return readAnswer(response, answer)
}

func (a API) request(ctx context.Context, method, address string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if a.As.sign != nil {
		a.As.sign(request.Header, time.Now())
	}
	return request, nil
}

func readAnswer(response *http.Response, answer any) error {
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return refusal(response, data)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("the relay's answer is not what the contract says: %w", err)
	}
	return nil
}

func refusal(response *http.Response, data []byte) error {
	var body struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(data, &body) != nil || body.Detail == "" {
		body.Detail = http.StatusText(response.StatusCode)
	}
	seconds, _ := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
	return &APIError{response.StatusCode, body.Detail, time.Duration(seconds) * time.Second}
}

// HTTPURL returns the root of a relay's HTTP API, from any of its addresses: ws, wss,
// http or https, host and port.
func HTTPURL(address string) (*url.URL, error) {
	u, err := parse(address)
	if err != nil {
		return nil, err
	}
	return &url.URL{Scheme: strings.Replace(u.Scheme, "ws", "http", 1), Host: u.Host}, nil
}
