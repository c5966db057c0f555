package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// userHandler is a handler that knows who asks.
type userHandler func(w http.ResponseWriter, r *http.Request, who auth.Claims)

// authenticated lets only holders of a valid token through.
func (a *API) authenticated(next userHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := a.cfg.Tokens.Verify(bearer(r))
		if err != nil {
			a.unauthorized(w, r, err)
			return
		}
		next(w, r, who)
	}
}

// bearer returns the token of the Authorization header (RFC 6750 §2.1), or
// nothing.
func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// unauthorized gives the one answer to bad credentials. Why, only the log says.
func (a *API) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	a.denied(r, err)
	w.Header().Set("WWW-Authenticate", "Bearer")
	fail(w, http.StatusUnauthorized, "Not authenticated")
}

// denied tells log and meter why credentials were refused.
func (a *API) denied(r *http.Request, err error) {
	cause, log := auth.Cause(err), a.cfg.Log
	if id := auth.CredentialsFrom(r).DeviceID; id.Valid() {
		log = log.With("device", id)
	}
	a.cfg.Meter.Unauthenticated(cause)
	log.InfoContext(r.Context(), "refused", "route", r.Pattern, "cause", cause)
}

type passwordBody struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type tokenBody struct {
	Token     string       `json:"token"`
	ExpiresIn int          `json:"expires_in"` // seconds
	UserID    store.UserID `json:"user_id"`
}

func (a *API) register(w http.ResponseWriter, r *http.Request) {
	a.enter(w, r, a.cfg.Accounts.Register)
}

func (a *API) login(w http.ResponseWriter, r *http.Request) {
	a.enter(w, r, a.cfg.Accounts.Login)
}

// enter is what register and login have in common: both end with a token.
func (a *API) enter(w http.ResponseWriter, r *http.Request,
	by func(ctx context.Context, email, password string) (store.User, error),
) {
	var body passwordBody
	if !read(w, r, &body) {
		return
	}
	if !a.byAddress.Allow(address(r)) {
		tooMany(w, a.byAddress.RetryAfter())
		return
	}
	if !a.byAccount.Allow(accountKey(body.Email)) {
		tooMany(w, a.byAccount.RetryAfter())
		return
	}
	user, err := by(r.Context(), body.Email, body.Password)
	if err != nil {
		a.failAccount(w, r, err)
		return
	}
	a.giveToken(w, user)
}

// accountKey is what one account is limited by, in every way of writing its
// address. It is bounded: the limiter keeps it, and anybody may send anything.
func accountKey(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return email[:min(len(email), auth.MaxEmail)]
}

func (a *API) failAccount(w http.ResponseWriter, r *http.Request, err error) {
	if invalid, ok := errors.AsType[*auth.InvalidError](err); ok {
		fail(w, http.StatusUnprocessableEntity, invalid.Error())
		return
	}
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		a.denied(r, err)
		fail(w, http.StatusUnauthorized, "Wrong e-mail address or password")
	case errors.Is(err, store.ErrTaken):
		fail(w, http.StatusConflict, "There is an account with this e-mail address")
	case errors.Is(err, auth.ErrBusy):
		tooMany(w, 1)
	default:
		a.internal(w, r, err)
	}
}

func (a *API) giveToken(w http.ResponseWriter, user store.User) {
	token, expires := a.cfg.Tokens.Issue(user)
	answer(w, http.StatusOK, tokenBody{Token: token, ExpiresIn: int(expires.Seconds()), UserID: user.ID})
}

func (a *API) refresh(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	if user, ok := a.account(w, r, who); ok {
		a.giveToken(w, user)
	}
}

// account looks the token's user up, or answers and reports false: a token
// outlives the account it was made for.
func (a *API) account(w http.ResponseWriter, r *http.Request, who auth.Claims) (store.User, bool) {
	user, err := a.cfg.Store.UserByID(r.Context(), who.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		a.unauthorized(w, r, err)
	case err != nil:
		a.internal(w, r, err)
	}
	return user, err == nil
}

type deviceBody struct {
	DeviceID wire.DeviceID `json:"device_id"`
	IsOnline bool          `json:"is_online"`
}

func (a *API) me(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	user, ok := a.account(w, r, who)
	if !ok {
		return
	}
	devices, ok := a.devicesOf(w, r, who)
	if !ok {
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"user_id": user.ID, "email": user.Email, "devices": devices,
		"created_at": user.CreatedAt.Format(time.RFC3339),
	})
}

func (a *API) devices(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	if devices, ok := a.devicesOf(w, r, who); ok {
		answer(w, http.StatusOK, map[string]any{"devices": devices})
	}
}

func (a *API) devicesOf(w http.ResponseWriter, r *http.Request, who auth.Claims) ([]deviceBody, bool) {
	ids, err := a.cfg.Store.DevicesOf(r.Context(), who.UserID)
	if err != nil {
		a.internal(w, r, err)
		return nil, false
	}
	devices := make([]deviceBody, 0, len(ids))
	for _, id := range ids {
		online, err := a.cfg.Bus.Owned(r.Context(), bus.RobotAddress(id))
		devices = append(devices, deviceBody{DeviceID: id, IsOnline: online && err == nil})
	}
	return devices, true
}

func (a *API) internal(w http.ResponseWriter, r *http.Request, err error) {
	a.cfg.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
	fail(w, http.StatusInternalServerError, "Internal error, please try again")
}
