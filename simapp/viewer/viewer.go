// Package viewer serves a page that shows a robot's video in a browser: the app
// for people who have no phone at hand.
//
// The page talks to its own origin only. What it says to the relay goes through
// this server: /api/ and the socket /ws/app. A browser cannot set a header on a
// WebSocket, so the page puts its token into the query (CONTRACT §3.1); here it
// becomes a header, and no URL with a token in it goes any further.
package viewer

import (
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"

	"wimz.dev/live/relay/client"
)

//go:embed page
var files embed.FS

// Config is what the viewer needs to know.
type Config struct {
	// RelayURL is the relay's address: ws, wss, http or https, host and port.
	RelayURL string
	// DemoToken, if not nil, returns a token that signs every visitor of this
	// machine in, without a password. Nobody else gets it.
	DemoToken func() (string, error)
	Log       *slog.Logger
}

// Handler returns the page and what it needs.
func Handler(cfg Config) (http.Handler, error) {
	relay, err := client.HTTPURL(cfg.RelayURL)
	if err != nil {
		return nil, err
	}
	page, err := fs.Sub(files, "page")
	if err != nil {
		return nil, err
	}
	proxy := newProxy(relay, cfg.Log)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(page))
	mux.Handle("GET /config.json", settings(cfg))
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		mux.Handle(method+" /api/", ownPagesOnly(proxy))
	}
	mux.Handle("GET /ws/app", ownPagesOnly(proxy))
	if cfg.DemoToken != nil {
		mux.Handle("GET /demo-session", thisMachineOnly(demoSession(cfg)))
	}
	return withHeaders(mux), nil
}

// settings tells the page what it cannot know.
func settings(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, struct {
			Relay string `json:"relay"`
			Demo  bool   `json:"demo"`
		}{cfg.RelayURL, cfg.DemoToken != nil})
	})
}

// demoSession signs the visitor in.
func demoSession(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := cfg.DemoToken()
		if err != nil {
			cfg.Log.WarnContext(r.Context(), "no demo token", "error", err)
			refuse(w, http.StatusServiceUnavailable, "The demo login is not there.")
			return
		}
		writeJSON(w, http.StatusOK, struct {
			Token string `json:"token"`
		}{token})
	})
}

// refuse answers as the relay does, so that the page reads one kind of error.
func refuse(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, struct {
		Detail string `json:"detail"`
	}{detail})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a visitor who has left needs no answer
}
