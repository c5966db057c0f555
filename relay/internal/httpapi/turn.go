package httpapi

import (
	"net/http"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/turn"
)

// turnCredentials hands out ICE servers outside of any session, as the original
// specification has it.
func (a *API) turnCredentials(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	body := struct {
		TTL int `json:"ttl"` // seconds
	}{TTL: int(turn.DefaultTTL.Seconds())}
	if !a.read(w, r, &body) {
		return
	}
	if body.TTL < int(turn.MinTTL.Seconds()) || body.TTL > int(turn.MaxTTL.Seconds()) {
		fail(w, http.StatusUnprocessableEntity, "ttl must be 60 to 172800 seconds")
		return
	}
	if a.cfg.TURN == nil {
		fail(w, http.StatusInternalServerError, "TURN is not configured")
		return
	}
	if !allow(w, a.byUser, string(who.UserID)) {
		return
	}
	credentials, err := a.cfg.TURN.Mint(r.Context(), turn.Key{User: string(who.UserID)}, time.Duration(body.TTL)*time.Second)
	if err != nil {
		a.cfg.Log.WarnContext(r.Context(), "no TURN credentials", "error", err)
		fail(w, http.StatusBadGateway, "Cloudflare API error: "+err.Error())
		return
	}
	answer(w, http.StatusOK, credentials.ICEServers)
}
