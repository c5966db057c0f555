package fakecloudflare

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	maxRequestBody   = 4 << 10
	maxAuthorization = 4 << 10
)

// Config of a [Server]. It holds secrets: do not print it.
type Config struct {
	// KeyID is the one TURN key that exists, APIToken the bearer token that
	// belongs to it.
	KeyID, APIToken string
	// TURNSecret is shared with the TURN servers that are to take the
	// credentials (coturn: static-auth-secret).
	TURNSecret string
	// ICEURLs are handed out: "turn:HOST:PORT?transport=udp" and the like
	// (RFC 7065), and "stun:HOST:PORT" (RFC 7064). Without a STUN URL the first
	// TURN server over UDP is named as one. See [Server.AddICEURLs].
	ICEURLs []string
	// Log may be nil.
	Log *slog.Logger
}

// Server is the fake API. Its methods may be called concurrently.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	log      *slog.Logger
	requests atomic.Int64
	faults   faults
	ledger   ledger

	mu   sync.Mutex
	urls []string // guarded by mu
}

// New returns a healthy server with an empty ledger, or says what its
// configuration lacks.
func New(cfg Config) (*Server, error) {
	if cfg.KeyID == "" || cfg.APIToken == "" || cfg.TURNSecret == "" {
		return nil, errors.New("fakecloudflare: KeyID, APIToken and TURNSecret are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), log: cfg.Log}
	if err := s.AddICEURLs(cfg.ICEURLs...); err != nil {
		return nil, err
	}
	const credentials = "POST /v1/turn/keys/{key}/credentials/" //nolint:gosec // a path, no credential
	s.mux.HandleFunc(credentials+"generate-ice-servers", s.api(EndpointGenerate, s.generate(formSplit)))
	s.mux.HandleFunc(credentials+"generate", s.api(EndpointGenerate, s.generate(formObject)))
	s.mux.HandleFunc(credentials+"{username}/revoke", s.api(EndpointRevoke, s.revoke))
	s.controlRoutes()
	return s, nil
}

// AddICEURLs hands out more URLs from now on. A TURN server that needs
// [Server.Authorised] is started after the fake and added here.
func (s *Server) AddICEURLs(urls ...string) error {
	for _, url := range urls {
		if err := checkICEURL(url); err != nil {
			return fmt.Errorf("fakecloudflare: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls = append(s.urls, urls...)
	return nil
}

// Requests counts the requests to the API so far, refused ones and those a
// fault met included, the control API not.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// ServeHTTP answers the API and, under /_control/, the control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// api wraps an endpoint in what they all share: the counter, the bound on the
// body, the fault in force and the bearer check.
func (s *Server) api(e Endpoint, answer func(*http.Request, []byte) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		// Read first: net/http notices a client that gave up only after that.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
		fault := s.faults.take(e)
		if !fault.hold(r.Context()) {
			return
		}
		var out reply
		switch {
		case fault.Status >= http.StatusMultipleChoices:
			out = refusal(fault.Status, "fault on demand")
		case err != nil:
			out = refusal(http.StatusRequestEntityTooLarge, "request body too large")
		case !s.bearerOK(r):
			out = refusal(http.StatusUnauthorized, "invalid token")
		case r.PathValue("key") != s.cfg.KeyID:
			out = refusal(http.StatusNotFound, "TURN key not found")
		default:
			out = answer(r, body)
		}
		out = fault.spoil(out)
		s.log.DebugContext(r.Context(), "TURN key API answered", "endpoint", string(e), "status", out.status)
		out.write(w)
	}
}

func (s *Server) bearerOK(r *http.Request) bool {
	header := r.Header.Get("Authorization")
	token, found := strings.CutPrefix(header, "Bearer ")
	return found && len(header) <= maxAuthorization &&
		subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.APIToken)) == 1
}

func (s *Server) iceURLs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.urls)
}
