package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// choose returns the device that is meant: the one named, or the only one there is.
func choose(ctx context.Context, relay, token string, named wire.DeviceID) (wire.DeviceID, error) {
	if named != "" {
		if !named.Valid() {
			return "", fmt.Errorf("%q is no device; 1 to 64 of letters, digits, - and _", named)
		}
		return named, nil
	}
	devices, err := simapp.Devices(ctx, relay, token)
	switch {
	case err != nil:
		return "", err
	case len(devices) == 0:
		return "", errors.New("this account has no robot yet; pair one first")
	case len(devices) == 1:
		return devices[0].DeviceID, nil
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = string(d.DeviceID)
		if !d.Online {
			names[i] += " (offline)"
		}
	}
	return "", fmt.Errorf("this account has several robots; choose with --device: %s", strings.Join(names, ", "))
}
