// Package httpapi is the relay's HTTP face (CONTRACT §2): it authenticates,
// answers the small REST API and upgrades the two sockets.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/apispec"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/hub"
	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
)

// Minter issues TURN credentials outside of sessions.
type Minter interface {
	Mint(ctx context.Context, key turn.Key, ttl time.Duration) (turn.Credentials, error)
}

// Config is what the API works with.
type Config struct {
	Store          store.Store
	Accounts       *auth.Accounts
	Tokens         *auth.Tokens
	Guard          *auth.Guard
	Devices        *auth.Devices
	Bus            bus.Bus
	Hub            *hub.Hub
	TURN           Minter // nil: not configured
	Registration   config.Registration
	Revoked        func() // called when something was revoked or paired; returns at once
	AllowedOrigins []string
	Proxies        []netip.Prefix // whose X-Forwarded-For is believed
	Limits         config.Limits
	Stats          func() map[string]int // for /stats
	Meter          Meter
	PublicURL      string // ws:// or wss://host; empty: the one that was asked
	PairingCodeTTL time.Duration
	// Closing ends when the relay stops: sockets are then told to come back.
	Closing context.Context //nolint:containedctx // the life of every socket
	Log     *slog.Logger
}

// API is the handler. Its methods may be called from any goroutine.
type API struct {
	cfg      Config
	mux      *http.ServeMux
	upgrader websocket.Upgrader
	sockets  sync.WaitGroup
	spread   func() time.Duration // of those that are there when the relay stops

	byAddress *limit.Keyed // passwords and pairing codes tried from one address
	byGuesser *limit.Keyed // with one account from one address that is new to it
	byAccount *limit.Keyed // with one account from all such addresses
	byUser    *limit.Keyed // fresh tokens and TURN credentials for one user
	pairing   pairingLimits
	// familiar is from where accounts were logged in to lately, up to 400 bytes each.
	familiar limit.Recent[guesser, struct{}]
}

// New returns the API.
func New(cfg Config) *API {
	a := &API{
		cfg: cfg, mux: http.NewServeMux(),
		byAddress: limit.NewKeyed(cfg.Limits.AddressLogins),
		byGuesser: limit.NewKeyed(cfg.Limits.GuesserLogins),
		byAccount: limit.NewKeyed(cfg.Limits.AccountLogins),
		byUser:    limit.NewKeyed(cfg.Limits.UserCredentials),
		pairing:   newPairingLimits(&cfg.Limits.Quotas),
	}
	a.upgrader = a.newUpgrader()
	a.spread = sync.OnceValue(func() time.Duration { return spread(cfg.Hub.Apps() + cfg.Hub.Robots()) })
	a.mux.HandleFunc("GET /health", a.health)
	a.mux.HandleFunc("GET /ready", a.ready)
	a.mux.HandleFunc("GET /stats", a.authenticated(a.stats))
	a.mux.HandleFunc("GET /openapi.json", document(apispec.OpenAPI))
	a.mux.HandleFunc("GET /asyncapi.json", document(apispec.AsyncAPI))
	a.mux.HandleFunc("POST /api/auth/register", a.register)
	a.mux.HandleFunc("POST /api/auth/login", a.login)
	a.mux.HandleFunc("POST /api/auth/refresh", a.authenticated(a.refresh))
	a.mux.HandleFunc("POST /api/auth/logout", a.authenticated(a.logout))
	a.mux.HandleFunc("POST /api/auth/password", a.authenticated(a.changePassword))
	a.mux.HandleFunc("GET /api/auth/me", a.authenticated(a.me))
	a.mux.HandleFunc("GET /api/user/devices", a.authenticated(a.devices))
	a.mux.HandleFunc("DELETE /api/user/devices/{id}", a.authenticated(a.unpair))
	a.mux.HandleFunc("POST /api/device/register", a.registerDevice)
	a.mux.HandleFunc("POST /api/device/pair", a.authenticated(a.pair))
	a.mux.HandleFunc("POST /api/turn/credentials", a.authenticated(a.turnCredentials))
	a.mux.HandleFunc("GET /ws/app", a.appSocket)
	a.mux.HandleFunc("GET /ws/device", a.deviceSocket)
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "Not found")
	})
	return a
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	defer a.caught(r)
	a.mux.ServeHTTP(&measured{ResponseWriter: w, request: r, meter: a.cfg.Meter}, r)
}

// caught says that a handler has panicked: the server's own line about it is one
// among many of no importance.
func (a *API) caught(r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault != http.ErrAbortHandler { //nolint:errorlint // what was thrown, as net/http compares it
		a.panicked(r.Context(), r.Pattern, fault)
	}
	panic(http.ErrAbortHandler)
}

func (a *API) panicked(ctx context.Context, route string, fault any) {
	a.cfg.Log.ErrorContext(ctx, "handler panicked", "route", route, "panic", fault, "stack", string(debug.Stack()))
}

// Wait returns when every socket has ended: a server's Shutdown does not wait
// for them.
func (a *API) Wait() { a.sockets.Wait() }

// answer writes a JSON body.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a client that has gone needs no answer
}

// fail writes an error as the apps in the field read it.
func fail(w http.ResponseWriter, status int, detail string) {
	answer(w, status, map[string]string{"detail": detail})
}

// allow takes a token of the key, or answers and reports false.
func allow(w http.ResponseWriter, by *limit.Keyed, key string) bool {
	if by.Allow(key) {
		return true
	}
	tooMany(w, by.RetryAfter())
	return false
}

func tooMany(w http.ResponseWriter, retryAfter int) {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	fail(w, http.StatusTooManyRequests, "Too many requests, please wait a moment")
}

// read decodes a JSON body, or answers and reports false. An empty body leaves
// the value as it is.
func (a *API) read(w http.ResponseWriter, r *http.Request, into any) bool {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, int64(a.cfg.Limits.BodyBytes)))
	if err := body.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		fail(w, http.StatusUnprocessableEntity, "The body is not the JSON object that is expected here")
		return false
	}
	return true
}
