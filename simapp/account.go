package simapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"wimz.dev/live/relay/wire"
)

const (
	// apiTimeout bounds one HTTP request to the relay.
	apiTimeout = 10 * time.Second
	// maxAnswer bounds the body of its answer in bytes.
	maxAnswer = 1 << 20
)

// DeviceStatus is one of a user's robots.
type DeviceStatus struct {
	DeviceID wire.DeviceID `json:"device_id"`
	Online   bool          `json:"is_online"`
}

// APIError is a refusal by the relay's HTTP API.
type APIError struct {
	Status int    // HTTP status
	Detail string // what the relay says of it
}

func (e *APIError) Error() string {
	return fmt.Sprintf("the relay answered %d: %s", e.Status, e.Detail)
}

// Login signs in with an e-mail address and a password and returns a token for
// [Config]. baseURL is the relay's, http, https, ws or wss. A refusal is an
// [*APIError], with status 401 for a wrong address or password.
func Login(ctx context.Context, baseURL, email, password string) (token string, err error) {
	request := struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}{email, password}
	var answer struct {
		Token string `json:"token"`
	}
	if err := call(ctx, http.MethodPost, baseURL, "/api/auth/login", "", request, &answer); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	if answer.Token == "" {
		return "", fmt.Errorf("log in: the relay sent no token")
	}
	return answer.Token, nil
}

// Devices lists the robots of the token's user.
func Devices(ctx context.Context, baseURL, token string) ([]DeviceStatus, error) {
	var answer struct {
		Devices []DeviceStatus `json:"devices"`
	}
	if err := call(ctx, http.MethodGet, baseURL, "/api/user/devices", token, nil, &answer); err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return answer.Devices, nil
}

// call makes one request. body and answer are JSON; a nil body is none.
func call(ctx context.Context, method, baseURL, path, token string, body, answer any) error {
	endpoint, err := httpURL(baseURL, path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		data, marshalErr := json.Marshal(body)
		if marshalErr != nil {
			return marshalErr
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, endpoint, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
	}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	return readAnswer(response, answer)
}

func readAnswer(response *http.Response, answer any) error {
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		var refusal struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(data, &refusal) != nil || refusal.Detail == "" {
			refusal.Detail = http.StatusText(response.StatusCode)
		}
		return &APIError{Status: response.StatusCode, Detail: refusal.Detail}
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("the relay's answer is not what the contract says: %w", err)
	}
	return nil
}

// httpURL returns the address of an API path at a relay named by any of its
// addresses.
func httpURL(base, path string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("relay URL is malformed; use ws://host:port or wss://host")
	}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "http"
	case "wss", "https":
		u.Scheme = "https"
	default:
		return "", fmt.Errorf("relay URL has scheme %q; use ws://host:port or wss://host", u.Scheme)
	}
	if u.Host == "" {
		return "", fmt.Errorf("relay URL names no host; use ws://host:port or wss://host")
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String(), nil
}
