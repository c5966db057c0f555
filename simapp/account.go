package simapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

// DeviceStatus is one of a user's robots.
type DeviceStatus struct {
	DeviceID wire.DeviceID `json:"device_id"`
	Online   bool          `json:"is_online"`
	// LastSeen is when an offline robot was online last, zero if the relay does not
	// say.
	LastSeen time.Time `json:"last_seen,omitzero"`
}

// APIError is a refusal by the relay's HTTP API.
type APIError = client.APIError

// Login signs in with an e-mail address and a password and returns a token for
// [Config]. baseURL is the relay's, http, https, ws or wss. A refusal is an
// [*APIError], with status 401 for a wrong address or password.
func Login(ctx context.Context, baseURL, email, password string) (token string, err error) {
	token, err = obtain(ctx, baseURL, "/api/auth/login", "", emailAndPassword{email, password})
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	return token, nil
}

// Register opens an account and returns a token as [Login] does. A refusal is an
// [*APIError], with status 409 for an address that has an account, and 403 where
// registration is closed.
func Register(ctx context.Context, baseURL, email, password string) (token string, err error) {
	token, err = obtain(ctx, baseURL, "/api/auth/register", "", emailAndPassword{email, password})
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	return token, nil
}

// Refresh returns a fresh token for one that is still good. The old one stays so
// until its end.
func Refresh(ctx context.Context, baseURL, token string) (fresh string, err error) {
	fresh, err = obtain(ctx, baseURL, "/api/auth/refresh", token, nil)
	if err != nil {
		return "", fmt.Errorf("refresh the login: %w", err)
	}
	return fresh, nil
}

// Logout voids the token: what rests on it ends.
func Logout(ctx context.Context, baseURL, token string) error {
	var answer struct{}
	if err := call(ctx, http.MethodPost, baseURL, "/api/auth/logout", token, nil, &answer); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

type emailAndPassword struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// obtain asks for a token.
func obtain(ctx context.Context, baseURL, path, token string, body any) (fresh string, err error) {
	var answer struct {
		Token string `json:"token"`
	}
	if err = call(ctx, http.MethodPost, baseURL, path, token, body, &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", errors.New("the relay sent no token")
	}
	return answer.Token, nil
}

// Devices lists the robots of the token's user.
func Devices(ctx context.Context, baseURL, token string) ([]DeviceStatus, error) {
	var answer struct {
		Devices []DeviceStatus `json:"devices"`
	}
	if err := call(ctx, http.MethodGet, baseURL, "/api/user/devices", token, nil, &answer); err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return answer.Devices, nil
}

// PairDevice makes the token's user the owner of the robot that shows the code,
// and returns which robot that is. The code is taken in any case, with or without
// its dash. A refusal is an [*APIError], with status 404 for a code that is wrong,
// used or too old, and 409 for a robot of somebody else.
func PairDevice(ctx context.Context, baseURL, token, code string) (wire.DeviceID, error) {
	request := struct {
		Code string `json:"pairing_code"`
	}{code}
	var answer struct {
		DeviceID wire.DeviceID `json:"device_id"`
	}
	if err := call(ctx, http.MethodPost, baseURL, "/api/device/pair", token, request, &answer); err != nil {
		return "", fmt.Errorf("pair: %w", err)
	}
	return answer.DeviceID, nil
}

// UnpairDevice gives the robot up: it is nobody's then, and what the token's user
// watches of it ends. A refusal is an [*APIError], with status 404 if it is not
// theirs.
func UnpairDevice(ctx context.Context, baseURL, token string, id wire.DeviceID) error {
	var answer struct{}
	path := "/api/user/devices/" + string(id)
	if err := call(ctx, http.MethodDelete, baseURL, path, token, nil, &answer); err != nil {
		return fmt.Errorf("unpair: %w", err)
	}
	return nil
}

// call makes one request. body and answer are JSON; a nil body is none. Without a
// token it is nobody's.
func call(ctx context.Context, method, baseURL, path, token string, body, answer any) error {
	api := client.API{URL: baseURL}
	if token != "" {
		api.As = client.App(func() string { return token })
	}
	return api.Call(ctx, method, path, body, answer)
}
