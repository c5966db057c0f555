package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// userHandler is a handler that knows who asks.
type userHandler func(w http.ResponseWriter, r *http.Request, who auth.Claims)

// authenticated lets only holders of a valid token through.
func (a *API) authenticated(next userHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := a.cfg.Guard.Admit(r.Context(), bearer(r))
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		next(w, r, who)
	}
}

// bearer returns the token of the Authorization header (RFC 6750 §2.1), or
// nothing. The scheme is a name in any case (RFC 9110 §11.1).
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// refuse answers somebody whose credentials could not be accepted. Bad ones get one
// answer: why, only the log says.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, auth.ErrUnauthenticated) {
		a.internal(w, r, err)
		return
	}
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
	log.InfoContext(r.Context(), "refused", "route", r.Pattern, "address", a.client(r), "cause", cause)
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
	if a.cfg.Registration == config.RegistrationClosed {
		fail(w, http.StatusForbidden, "Registration is closed: ask the operator of this relay for an account")
		return
	}
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
	if !a.read(w, r, &body) {
		return
	}
	who := guesser{accountKey(body.Email), a.clientKey(r)}
	if !a.mayTry(w, who) {
		return
	}
	user, err := by(r.Context(), body.Email, body.Password)
	if err != nil {
		a.failAccount(w, r, err)
		return
	}
	a.familiar.Put(who, struct{}{})
	a.giveToken(w, r, user)
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

// giveToken answers with a fresh token for an account as it was when the client
// proved to have a right to it.
func (a *API) giveToken(w http.ResponseWriter, r *http.Request, user store.User) {
	token, expires := a.cfg.Tokens.Issue(user)
	if err := a.cfg.Guard.Unchanged(r.Context(), user); err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, tokenBody{Token: token, ExpiresIn: int(expires.Seconds()), UserID: user.ID})
}

// refresh gives no more tokens than anybody needs: each can be revoked, which is
// written down and kept for a day.
func (a *API) refresh(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	if allow(w, a.byUser, string(who.UserID)) {
		a.giveToken(w, r, who.User)
	}
}

// logout voids the token that the request came with, wherever else it is used.
func (a *API) logout(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	if err := a.cfg.Store.RevokeToken(r.Context(), who.UserID, who.TokenID, who.ExpiresAt); err != nil {
		a.internal(w, r, err)
		return
	}
	a.cfg.Revoked()
	a.cfg.Log.InfoContext(r.Context(), "logged out", "user", who.UserID)
	answer(w, http.StatusOK, map[string]bool{"success": true})
}

// changePassword voids every token of the account, and gives the client a fresh one.
func (a *API) changePassword(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	var body struct {
		Old string `json:"old_password"`
		New string `json:"new_password"`
	}
	if !a.read(w, r, &body) {
		return
	}
	if !a.mayTry(w, guesser{string(who.UserID), a.clientKey(r)}) { // not the address, which strangers try
		return
	}
	user, err := a.cfg.Accounts.ChangePassword(r.Context(), who.User, body.Old, body.New)
	switch {
	case errors.Is(err, auth.ErrUnauthenticated): // the token is good: 401 would end the app's login
		a.denied(r, err)
		fail(w, http.StatusForbidden, "Wrong password")
	case err != nil:
		a.failAccount(w, r, err)
	default:
		a.cfg.Revoked()
		a.cfg.Log.InfoContext(r.Context(), "password changed", "user", who.UserID)
		a.giveToken(w, r, user)
	}
}

type deviceBody struct {
	DeviceID wire.DeviceID `json:"device_id"`
	IsOnline bool          `json:"is_online"`
	LastSeen time.Time     `json:"last_seen,omitzero"` // of one that is offline, if it is known
}

func (a *API) me(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	devices, ok := a.devicesOf(w, r, who)
	if !ok {
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"user_id": who.User.ID, "email": who.User.Email, "devices": devices,
		"created_at": who.User.CreatedAt.Format(time.RFC3339),
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
	seen, err := a.cfg.Hub.LastSeen(r.Context(), who.UserID, ids)
	if err != nil {
		a.internal(w, r, err)
		return nil, false
	}
	devices := make([]deviceBody, 0, len(ids))
	for _, id := range ids {
		online, err := a.cfg.Bus.Owned(r.Context(), bus.RobotAddress(id))
		device := deviceBody{DeviceID: id, IsOnline: online && err == nil}
		if !device.IsOnline {
			device.LastSeen = seen[id]
		}
		devices = append(devices, device)
	}
	return devices, true
}

// internal answers that something of ours has failed. That a client has hung up is
// no fault, and nobody is left to be answered.
func (a *API) internal(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	a.cfg.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
	fail(w, http.StatusInternalServerError, "Internal error, please try again")
}
