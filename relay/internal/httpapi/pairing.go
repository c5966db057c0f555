package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// maxFirmware bounds the version a robot says it runs; it goes to the log.
const maxFirmware = 256

// pairingLimits make guessing a pairing code hopeless. There are 2⁴⁰ = 1.1·10¹²
// codes; one is good for ten minutes and works once. In that time everybody
// together has 100 + 600·5 = 3,100 tries by default, so that while n robots show a
// code one of them is guessed with a probability of 2.8·10⁻⁹·n: with ten robots, once
// in 670 years of trying without a pause. A single user has 10 + 20 tries, and an
// address no more than its logins. Every try counts, also a right one: five people a
// second pair their robots before somebody has to wait.
type pairingLimits struct {
	user     *limit.Keyed
	everyone *limit.Keyed
	// robot bounds what a robot gone wild writes. One code at a time also means
	// that of two requests with one signature, if they come at once, one is refused.
	robot *limit.Keyed
}

func newPairingLimits(quotas *config.Quotas) pairingLimits {
	return pairingLimits{
		user:     limit.NewKeyed(quotas.UserPairings),
		everyone: limit.NewKeyed(quotas.Pairings),
		robot:    limit.NewKeyed(limit.Rate{Burst: 1, Every: time.Second}),
	}
}

type registerBody struct {
	DeviceID wire.DeviceID `json:"device_id"`
	Firmware string        `json:"firmware_version"`
}

// registerDevice gives a robot a code to show. It hands nothing to a thief: a robot
// that has an owner can be claimed by nobody else, and a signature that was seen in
// use gets no code, see [auth.Devices.AuthenticateOnce]. Who reads the answer on its
// way needs no signature: that is what TLS is for.
func (a *API) registerDevice(w http.ResponseWriter, r *http.Request) {
	if !allow(w, a.byAddress, a.clientKey(r)) {
		return
	}
	id, err := a.cfg.Devices.AuthenticateOnce(r.Context(), auth.CredentialsFrom(r))
	switch {
	case errors.Is(err, auth.ErrUsed):
		a.denied(r, err)
		tooMany(w, 1) // a robot's next second has a signature of its own
		return
	case err != nil:
		a.refuse(w, r, err)
		return
	}
	var body registerBody
	if !a.read(w, r, &body) {
		return
	}
	switch {
	case body.DeviceID != id:
		fail(w, http.StatusUnprocessableEntity, "device_id must be the one that has signed")
	case len(body.Firmware) > maxFirmware:
		fail(w, http.StatusUnprocessableEntity, "firmware_version must have at most 256 bytes")
	case allow(w, a.pairing.robot, string(id)):
		a.giveCode(w, r, body)
	}
}

func (a *API) giveCode(w http.ResponseWriter, r *http.Request, robot registerBody) {
	code := auth.NewPairingCode()
	expires := time.Now().Add(a.cfg.PairingCodeTTL)
	if err := a.cfg.Store.CreatePairing(r.Context(), robot.DeviceID, code.Hash(), expires); err != nil {
		a.internal(w, r, err)
		return
	}
	a.cfg.Log.InfoContext(r.Context(), "pairing code given", "device", robot.DeviceID, "firmware", robot.Firmware)
	answer(w, http.StatusOK, map[string]any{
		"success": true, "pairing_code": code.Reveal(), "expires_in": int(a.cfg.PairingCodeTTL.Seconds()),
		"websocket_url": a.deviceSocketURL(r),
	})
}

// deviceSocketURL is where robots connect. Without PUBLIC_URL it is what the robot
// itself, or its proxy, says of the way it came: nobody else is told.
func (a *API) deviceSocketURL(r *http.Request) string {
	const path = "/ws/device"
	if a.cfg.PublicURL != "" {
		return a.cfg.PublicURL + path
	}
	scheme := "ws"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "wss"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: path}).String()
}

// pair makes the user the owner of the robot that shows the code.
func (a *API) pair(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	var body struct {
		Code string `json:"pairing_code"`
	}
	if !a.read(w, r, &body) || !a.mayGuess(w, r, who) {
		return
	}
	// What can't be a code is answered like one that is wrong.
	code, ok := auth.ParsePairingCode(body.Code)
	var id wire.DeviceID
	err := store.ErrNotFound
	if ok {
		id, err = a.cfg.Store.ClaimDevice(r.Context(), code.Hash(), who.UserID, time.Now())
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		a.cfg.Meter.Unauthenticated("no such pairing code")
		a.cfg.Log.InfoContext(r.Context(), "pairing refused", "user", who.UserID, "cause", "no such code")
		fail(w, http.StatusNotFound, "This code is wrong, used or too old: let the robot show a new one")
	case errors.Is(err, store.ErrTaken):
		a.cfg.Log.InfoContext(r.Context(), "pairing refused", "user", who.UserID, "cause", "another user's robot")
		fail(w, http.StatusConflict, "This robot is paired with another account, which has to unpair it first")
	case err != nil:
		a.internal(w, r, err)
	default:
		a.cfg.Log.InfoContext(r.Context(), "robot paired", "device", id, "user", who.UserID)
		a.changed(r.Context(), id)
		answer(w, http.StatusOK, map[string]any{"success": true, "device_id": id})
	}
}

func (a *API) mayGuess(w http.ResponseWriter, r *http.Request, who auth.Claims) bool {
	return allow(w, a.pairing.user, string(who.UserID)) &&
		allow(w, a.byAddress, a.clientKey(r)) &&
		allow(w, a.pairing.everyone, "")
}

// unpair gives the user's robot up. A robot of somebody else is answered like one
// that does not exist.
func (a *API) unpair(w http.ResponseWriter, r *http.Request, who auth.Claims) {
	id := wire.DeviceID(r.PathValue("id"))
	err := a.cfg.Store.ReleaseDevice(r.Context(), id, who.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		fail(w, http.StatusNotFound, "This account has no such robot")
	case err != nil:
		a.internal(w, r, err)
	default:
		a.cfg.Log.InfoContext(r.Context(), "robot unpaired", "device", id, "user", who.UserID)
		a.changed(r.Context(), id)
		answer(w, http.StatusOK, map[string]bool{"success": true})
	}
}

// changed carries out that a robot has another owner, before the client has its
// answer, and also if it has hung up.
func (a *API) changed(ctx context.Context, id wire.DeviceID) {
	a.cfg.Revoked()
	a.cfg.Hub.OwnerChanged(context.WithoutCancel(ctx), id)
}
