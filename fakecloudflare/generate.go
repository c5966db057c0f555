package fakecloudflare

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"wimz.dev/live/fakecloudflare/turnrest"
)

const (
	// maxTTL is the documented 48 hours, in seconds.
	maxTTL = 48 * 60 * 60
	// maxCustomIdentifier is ours, in bytes; no limit is documented.
	maxCustomIdentifier = 256
)

// generate issues a credential and answers in the given form.
func (s *Server) generate(f form) func(*http.Request, []byte) reply {
	return func(r *http.Request, body []byte) reply {
		var req struct {
			TTL              int    `json:"ttl"`
			CustomIdentifier string `json:"customIdentifier"`
		}
		switch err := json.Unmarshal(body, &req); {
		case err != nil:
			return refusal(http.StatusBadRequest, "invalid JSON")
		case req.TTL < 1 || req.TTL > maxTTL:
			return refusal(http.StatusBadRequest, fmt.Sprintf("ttl must be between 1 and %d", maxTTL))
		case len(req.CustomIdentifier) > maxCustomIdentifier:
			return refusal(http.StatusBadRequest, "customIdentifier too long")
		}
		c := s.issue(req.TTL, req.CustomIdentifier)
		s.log.InfoContext(r.Context(), "credential issued", "username", c.Username, "ttl_s", c.TTL,
			"custom_identifier", c.CustomIdentifier)
		return jsonReply(http.StatusCreated, f.arrange(s.iceServers(c.Username)))
	}
}

// issue enters a new credential into the ledger.
func (s *Server) issue(ttl int, customIdentifier string) Credential {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	now := time.Now()
	username := turnrest.Username(now.Add(time.Duration(ttl)*time.Second), hex.EncodeToString(id))
	expiry, _ := turnrest.Expiry(username) // well formed: made in the line above
	c := Credential{
		Username: username, TTL: ttl, CustomIdentifier: customIdentifier,
		IssuedAt: now, ExpiresAt: expiry,
	}
	s.ledger.add(c)
	return c
}

// revoke ends a credential. It answers the same way when that was done before.
func (s *Server) revoke(r *http.Request, _ []byte) reply {
	username := r.PathValue("username")
	if !s.ledger.revoke(username, time.Now()) {
		return refusal(http.StatusNotFound, "credential not found")
	}
	s.log.InfoContext(r.Context(), "credential revoked", "username", username)
	return reply{status: http.StatusNoContent}
}
