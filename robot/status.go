package robot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/figures"
	"wimz.dev/live/robot/internal/machine"
	"wimz.dev/live/robot/internal/peer"
)

// statusTimeout bounds every step of a status request.
const statusTimeout = 5 * time.Second

// Stats is what a robot is doing. It holds no secrets.
type Stats struct {
	Relay    string         `json:"relay"` // "connected", "disconnected" or "disabled"
	Sessions []SessionStats `json:"sessions"`
	// PeerConnections counts the sessions above and those that are being
	// closed.
	PeerConnections int `json:"peer_connections"`
	Encoders        int `json:"encoders"`
	// FramesSkipped counts frames for which an encoder was too slow.
	FramesSkipped uint64 `json:"frames_skipped"`
	// Control is what goes between the robot and its own software.
	Control    control.Stats `json:"control"`
	Goroutines int           `json:"goroutines"` // of the whole process
}

// SessionStats is one viewer.
type SessionStats struct {
	SessionID wire.SessionID `json:"session_id"`
	State     peer.State     `json:"state"`           // "" until it is offered
	Codec     encode.Codec   `json:"codec,omitempty"` // once the app has chosen
}

// Stats returns what the robot is doing now, its sessions in the order of their
// identifiers.
func (r *Robot) Stats() Stats {
	s := Stats{
		Relay: "disconnected", Sessions: []SessionStats{},
		PeerConnections: int(r.connections.Load()), Encoders: r.stream.Encoders(),
		FramesSkipped: r.stream.Skipped(), Control: r.software.Stats(), Goroutines: runtime.NumGoroutine(),
	}
	if !r.cfg.Cloud.Enabled {
		s.Relay = "disabled"
	} else if r.online.Load() {
		s.Relay = "connected"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, session := range r.sessions {
		s.Sessions = append(s.Sessions, SessionStats{SessionID: id, State: session.state, Codec: session.codec})
	}
	slices.SortFunc(s.Sessions, func(a, b SessionStats) int { return cmp.Compare(a.SessionID, b.SessionID) })
	return s
}

// figures are what is shown to people and to Prometheus.
func (r *Robot) figures() figures.Figures {
	s := r.Stats()
	return figures.Figures{
		Relay: s.Relay, Viewers: len(s.Sessions), PeerConnections: s.PeerConnections, Encoders: s.Encoders,
		Pictures: r.counters.Pictures(s.FramesSkipped), Dropped: r.droppedOfAll(), Machine: machine.Read(os.DirFS("/sys")),
	}
}

// droppedOfAll are the pictures that were dropped, by the viewers' places.
func (r *Robot) droppedOfAll() []uint64 {
	counts := make([]uint64, len(r.dropped))
	for place := range r.dropped {
		counts[place] = r.dropped[place].Load()
	}
	return counts
}

// statusHandler serves GET /, /health, /metrics and /status.
func (r *Robot) statusHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", figures.Page(cli.Version(), r.figures))
	mux.Handle("GET /metrics", figures.Handler(cli.Version(), r.figures))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, r.Stats()) })
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // a reader that is gone needs no answer
}

// serveStatus serves until ctx ends.
func (r *Robot) serveStatus(ctx context.Context) error {
	server := &http.Server{
		Handler:           r.statusHandler(),
		ReadHeaderTimeout: statusTimeout,
		ReadTimeout:       statusTimeout,
		WriteTimeout:      statusTimeout,
		IdleTimeout:       time.Minute,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTimeout)
		defer cancel()
		if server.Shutdown(bounded) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(r.listener)
	if stop() { // it failed by itself
		return err
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
