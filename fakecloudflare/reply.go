package fakecloudflare

import (
	"encoding/json"
	"net/http"
)

const contentJSON = "application/json"

// reply is an answer before it is written, so that a fault can still spoil it.
type reply struct {
	status      int
	contentType string
	retryAfter  string
	body        []byte
}

// write sends the reply. The client may be gone: nobody is left to tell.
func (r reply) write(w http.ResponseWriter) {
	if len(r.body) > 0 {
		w.Header().Set("Content-Type", r.contentType)
	}
	if r.retryAfter != "" {
		w.Header().Set("Retry-After", r.retryAfter)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body)
}

func jsonReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: status, contentType: contentJSON, body: body}
}

// refusal is an error in the envelope of Cloudflare's other APIs.
func refusal(status int, message string) reply {
	type apiError struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	return jsonReply(status, struct {
		Success bool       `json:"success"`
		Errors  []apiError `json:"errors"`
	}{Errors: []apiError{{Code: 1000 + status, Message: message}}})
}
