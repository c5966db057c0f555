package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/wire"
)

// httpTimeout bounds a question to one of the programs.
const httpTimeout = 5 * time.Second

// RelayStats is what a relay holds.
type RelayStats struct {
	Sessions   int `json:"sessions"`
	Apps       int `json:"apps"`
	Robots     int `json:"robots"`
	Goroutines int `json:"goroutines"`
}

// RobotStatus is what a robot holds.
type RobotStatus struct {
	Relay           string `json:"relay"`
	PeerConnections int    `json:"peer_connections"`
	Encoders        int    `json:"encoders"`
	Goroutines      int    `json:"goroutines"`
	Sessions        []struct {
		SessionID wire.SessionID `json:"session_id"`
		State     string         `json:"state"`
		Codec     string         `json:"codec"`
	} `json:"sessions"`
	Control struct {
		Connected bool `json:"connected"` // the robot's own software
	} `json:"control"`
}

// RelayStats asks the relay.
func (s *System) RelayStats(ctx context.Context, user User) (stats RelayStats, err error) {
	return stats, do(ctx, http.MethodGet, s.Relay.URL("/stats"), user.Token, nil, &stats)
}

// Metrics returns the relay's figures, by the name and the labels of each as
// Prometheus reads them: wimz_relay_sockets{kind="app"}.
func (s *System) Metrics(ctx context.Context) (map[string]float64, error) {
	return metrics(ctx, "http://"+s.Relay.Admin+"/metrics")
}

// RobotMetrics returns a robot's figures likewise.
func (s *System) RobotMetrics(ctx context.Context, id wire.DeviceID) (map[string]float64, error) {
	return metrics(ctx, s.Robots[id].URL("/metrics"))
}

func metrics(ctx context.Context, url string) (map[string]float64, error) {
	text, err := ask(ctx, http.MethodGet, url, "", nil)
	figures := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		value, bad := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if bad != nil {
			return nil, fmt.Errorf("read the metrics: %w", bad)
		}
		figures[line[:at]] = value
	}
	return figures, err
}

// Ready asks the relay whether it is fit to be used.
func (s *System) Ready(ctx context.Context) error {
	return do(ctx, http.MethodGet, s.Relay.URL("/ready"), "", nil, nil)
}

// RobotStatus asks a robot.
func (s *System) RobotStatus(ctx context.Context, id wire.DeviceID) (status RobotStatus, err error) {
	return status, do(ctx, http.MethodGet, s.Robots[id].URL("/status"), "", nil, &status)
}

// Ledger returns every TURN credential that was issued, and how many requests
// the provider has had.
func (s *System) Ledger(ctx context.Context) (issued []fakecloudflare.Credential, requests int, err error) {
	var ledger struct {
		Requests    int                         `json:"requests"`
		Credentials []fakecloudflare.Credential `json:"credentials"`
	}
	err = do(ctx, http.MethodGet, s.Cloudflare.URL("/_control/ledger"), "", nil, &ledger)
	return ledger.Credentials, ledger.Requests, err
}

// LiveCredentials counts the TURN credentials that could still be used.
func (s *System) LiveCredentials(ctx context.Context) (live int, err error) {
	issued, _, err := s.Ledger(ctx)
	for _, credential := range issued {
		if credential.LiveAt(time.Now()) {
			live++
		}
	}
	return live, err
}

// NewCredentials asks the relay for TURN credentials outside of any session.
func (s *System) NewCredentials(ctx context.Context, user User) (servers wire.ICEServers, err error) {
	return servers, do(ctx, http.MethodPost, s.Relay.URL("/api/turn/credentials"), user.Token, struct{}{}, &servers)
}

// SetFault lets the TURN provider misbehave.
func (s *System) SetFault(ctx context.Context, fault fakecloudflare.Fault) error {
	return do(ctx, http.MethodPut, s.Cloudflare.URL("/_control/fault"), "", fault, nil)
}

// Post asks the relay for something, as the holder of a token unless it is empty.
func (s *System) Post(ctx context.Context, token, path string, body, into any) error {
	return do(ctx, http.MethodPost, s.Relay.URL(path), token, body, into)
}

// do makes one HTTP request with JSON both ways.
func do(ctx context.Context, method, url, token string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	text, err := ask(ctx, method, url, token, sent)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// ask makes one HTTP request and returns the body of a good answer.
func ask(ctx context.Context, method, url, token string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// A connection of its own each time: specs count goroutines.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, text)
	}
	return text, err
}
