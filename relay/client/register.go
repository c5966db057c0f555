package client

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/wire"
)

// Pairing is the relay's invitation to become a robot's owner.
type Pairing struct {
	// Code is what the owner types into the app. It works once.
	Code      config.Secret
	ExpiresIn time.Duration
	// SocketURL is where the relay says that its robots connect.
	SocketURL string
}

// Register asks the relay for a code that pairs the robot with the account of
// whoever types it (CONTRACT §2); an earlier code of the robot is void from then
// on. address is the relay's, as in [Config]. firmware is the version the robot
// runs. A refusal is an [*APIError]: status 401 for a wrong secret or clock, 429
// for asking again within the second.
func Register(ctx context.Context, address string, id wire.DeviceID, secret, firmware string) (Pairing, error) {
	body := struct {
		DeviceID wire.DeviceID `json:"device_id"`
		Firmware string        `json:"firmware_version"`
	}{id, firmware}
	var answer struct {
		Code      config.Secret `json:"pairing_code"`
		ExpiresIn int           `json:"expires_in"` // seconds
		SocketURL string        `json:"websocket_url"`
	}
	api := API{URL: address, As: Device(id, secret)}
	if err := api.Call(ctx, http.MethodPost, "/api/device/register", body, &answer); err != nil {
		return Pairing{}, fmt.Errorf("register the robot: %w", err)
	}
	if answer.Code == "" {
		return Pairing{}, fmt.Errorf("register the robot: the relay sent no code")
	}
	return Pairing{answer.Code, time.Duration(answer.ExpiresIn) * time.Second, answer.SocketURL}, nil
}
