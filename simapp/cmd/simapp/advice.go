package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// adviceFor says what to do about the relay's codes (CONTRACT §4), and the robot's
// (§6).
//
//nolint:gochecknoglobals // a constant table
var adviceFor = map[wire.Code]string{
	wire.CodeNoDevice:       "name the robot with --device, or pair one with this account",
	wire.CodeNotAuthorized:  "check the name of the robot, and that it is paired with this account",
	wire.CodeDeviceOffline:  "switch the robot on and check that it reaches the relay",
	wire.CodeTURNError:      "the relay's TURN provider fails; check its credentials, or try again later",
	wire.CodeViewerLimit:    "the robot has as many viewers as it allows; close another one",
	wire.CodeOfferTimeout:   "the robot is connected but does not offer; look at its log",
	wire.CodeAnswerTimeout:  "this side was too slow; try again",
	wire.CodeStaleCommand:   "check the clock of this machine, and the robot's connection",
	wire.CodeSessionUnknown: "the relay has given the session up; try again",
	wire.CodeRateLimited:    "too many requests; wait a little",
	wire.CodeInternal:       "look at the relay's log",

	"NO_SOFTWARE": "start the robot's own software",
	"BUSY":        "the robot's own software does not keep up; try again",
	"TAKEN_OVER":  "another viewer drives; begin again to take the wheel back",
	"STOPPED":     "somebody else has stopped the robot; begin again",
}

// explain adds to an error what can be done about it. Nothing can about a command
// that was told to stop.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return errStopped
	}
	if advice := advise(err); advice != "" {
		return fmt.Errorf("%w: %s", err, advice)
	}
	return err
}

func advise(err error) string {
	var (
		refused *simapp.RelayError
		robot   *simapp.RefusedError
		closed  *simapp.ClosedError
		late    *simapp.TimeoutError
		api     *simapp.APIError
	)
	switch {
	case errors.As(err, &refused):
		return adviceFor[refused.Code]
	case errors.As(err, &robot):
		return adviceFor[robot.Code]
	case errors.As(err, &api) && api.Status == http.StatusUnauthorized, errors.Is(err, client.ErrUnauthorized):
		if os.Getenv("SIMAPP_TOKEN") != "" {
			return "check the password, or the token: the one in SIMAPP_TOKEN goes before that of simapp login"
		}
		return "check the password, or log in again with simapp login"
	case api != nil && api.RetryAfter > 0:
		return fmt.Sprintf("try again in %s", api.RetryAfter)
	case errors.Is(err, simapp.ErrICEFailed):
		return "no path to the robot; check that the relay hands out TURN servers, and firewalls"
	case errors.Is(err, simapp.ErrNoCodec):
		return "leave --codec out, or use the other one"
	case errors.As(err, &closed):
		return adviceOnClose(closed.Reason)
	case errors.As(err, &late):
		return "try again with --verbose to see how far it gets"
	case exitStatus(err) == exitUnreachable:
		return "check the relay's address, and the network"
	default:
		return ""
	}
}

func adviceOnClose(reason wire.Reason) string {
	switch reason {
	case wire.ReasonRobotLeft, wire.ReasonRobotGone:
		return "the robot has gone; check that it is on"
	case wire.ReasonUnauthorized:
		return "the login has ended, or the robot is no longer paired with this account"
	default:
		return ""
	}
}
