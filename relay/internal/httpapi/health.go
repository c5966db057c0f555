package httpapi

import (
	"context"
	"net/http"
	"time"

	"wimz.dev/live/relay/internal/auth"
)

// readyTime is how long the store may take to say that it works.
const readyTime = 2 * time.Second

// health says that the process serves.
func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether a load balancer should send anybody here.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	if a.cfg.Closing.Err() != nil {
		fail(w, http.StatusServiceUnavailable, "going away")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.cfg.Store.Ping(ctx); err != nil {
		a.cfg.Log.ErrorContext(r.Context(), "the store does not answer", "error", err)
		fail(w, http.StatusServiceUnavailable, "the store does not answer")
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (a *API) stats(w http.ResponseWriter, _ *http.Request, _ auth.Claims) {
	answer(w, http.StatusOK, a.cfg.Stats())
}
