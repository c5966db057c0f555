package fakecloudflare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Endpoint is a part of the API that a fault can be limited to.
type Endpoint string

// The endpoints; the empty one in a [Fault] means both.
const (
	EndpointGenerate Endpoint = "generate"
	EndpointRevoke   Endpoint = "revoke"
)

// Body says what becomes of the body of an answer.
type Body string

// What can become of a body. The first four break it; the others are forms of
// it that the API has had or might have, and that clients should understand.
const (
	BodyTruncated Body = "truncated"  // ends in the middle of the JSON
	BodyHTML      Body = "html"       // an error page, as proxies answer
	BodyOversized Body = "oversized"  // valid JSON of more than a mebibyte
	BodyNoTURN    Body = "no_turn"    // STUN servers only
	BodyObject    Body = "object"     // {"iceServers":{…}}, the first form
	BodyMerged    Body = "merged"     // {"iceServers":[{…}]}, STUN and TURN in one entry
	BodySingleURL Body = "single_url" // "urls" a string instead of a list
)

// Fault is a way to misbehave. The zero value is none. Its parts can be
// combined: it waits, then answers with Status and Body.
type Fault struct {
	// Endpoint limits the fault to a part of the API.
	Endpoint Endpoint `json:"endpoint,omitempty"`
	// Times is the number of requests the fault meets; 0: until it is cleared.
	Times int `json:"times,omitempty"`
	// DelayMS is waited before the answer, in milliseconds.
	DelayMS int `json:"delay_ms,omitempty"`
	// Hang waits until the client gives up or the fault is cleared. Nothing is
	// issued or revoked for a client that gave up.
	Hang bool `json:"hang,omitempty"`
	// Drop closes the connection instead of answering.
	Drop bool `json:"drop,omitempty"`
	// Status replaces the status. From 300 on, nothing is issued or revoked.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent as the header of that name (RFC 9110 §10.2.3).
	RetryAfter string `json:"retry_after,omitempty"`
	// Body spoils the body of an answer.
	Body Body `json:"body,omitempty"`

	cleared <-chan struct{}
}

func (f Fault) check() error {
	switch f.Endpoint {
	case "", EndpointGenerate, EndpointRevoke:
	default:
		return errors.New("unknown endpoint")
	}
	switch f.Body {
	case "", BodyTruncated, BodyHTML, BodyOversized, BodyNoTURN, BodyObject, BodyMerged, BodySingleURL:
	default:
		return errors.New("unknown body")
	}
	if f.Times < 0 || f.DelayMS < 0 || (f.Status != 0 && (f.Status < 200 || f.Status > 599)) {
		return errors.New("times, delay_ms or status out of range")
	}
	return nil
}

// hold waits as long as the fault says, drops the connection if it says so, and
// reports whether the client is still there.
func (f Fault) hold(ctx context.Context) bool {
	if f.Hang || f.DelayMS > 0 {
		var late <-chan time.Time
		if !f.Hang {
			timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-late:
		case <-ctx.Done():
		case <-f.cleared:
		}
	}
	if f.Drop {
		panic(http.ErrAbortHandler) // the way net/http documents to do it
	}
	return ctx.Err() == nil
}

// spoil applies status and body to an answer.
func (f Fault) spoil(r reply) reply {
	if f.Status != 0 {
		r.status = f.Status
	}
	r.retryAfter = f.RetryAfter
	switch f.Body {
	case BodyTruncated:
		r.body = r.body[:len(r.body)/2]
	case BodyHTML:
		r.contentType, r.body = "text/html; charset=utf-8", []byte("<html><body>Bad gateway</body></html>")
	case BodyOversized:
		r.body = append(r.body, bytes.Repeat([]byte(" "), 1<<20)...)
	case BodyNoTURN, BodyObject, BodyMerged, BodySingleURL:
		r.body = reshape(r.body, f.Body)
	}
	return r
}

// reshape puts a good answer into another form; anything else it leaves alone.
func reshape(body []byte, to Body) []byte {
	var split struct {
		Servers []iceServer `json:"iceServers"`
	}
	if json.Unmarshal(body, &split) != nil || len(split.Servers) != 2 {
		return body
	}
	stun, turn := split.Servers[0], split.Servers[1]
	switch to {
	case BodyObject:
		return jsonReply(0, formObject.arrange(split.Servers)).body
	case BodyMerged:
		return jsonReply(0, formMerged.arrange(split.Servers)).body
	case BodyNoTURN:
		return jsonReply(0, formSplit.arrange([]iceServer{stun})).body
	default:
		return jsonReply(0, map[string]any{"iceServers": []any{map[string]string{
			"urls": turn.URLs[0], "username": turn.Username, "credential": turn.Credential,
		}}}).body
	}
}

// SetFault puts a fault in force, in the place of any other.
func (s *Server) SetFault(f Fault) { s.faults.set(f) }

// ClearFault makes the API healthy again, and lets hanging requests go on.
func (s *Server) ClearFault() { s.faults.set(Fault{}) }

type faults struct {
	mu      sync.Mutex
	current Fault         // guarded by mu
	cleared chan struct{} // guarded by mu; closed when current is replaced
}

func (f *faults) set(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cleared != nil {
		close(f.cleared)
	}
	f.cleared = make(chan struct{})
	f.current = fault
}

func (f *faults) get() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current
}

// take returns the fault for one request, and counts it.
func (f *faults) take(e Endpoint) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current.Endpoint != "" && f.current.Endpoint != e {
		return Fault{}
	}
	fault := f.current
	fault.cleared = f.cleared
	switch f.current.Times {
	case 0:
	case 1:
		f.current = Fault{}
	default:
		f.current.Times--
	}
	return fault
}
