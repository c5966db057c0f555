package main

import (
	"errors"
	"net"
	"net/http"
	"net/url"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// Exit statuses beside those of [cli]. They are told in the description.
const (
	exitNotAllowed  = 3
	exitOffline     = 4
	exitNoVideo     = 5
	exitFull        = 6
	exitUnreachable = 7
)

const exitStatuses = `Exit status:

    0  done
    1  failed
    2  the command line makes no sense
    3  nobody is logged in, or the relay refuses who is
    4  the robot is not connected
    5  the robot is connected, but no picture came
    6  the robot has as many viewers as it allows
    7  the relay cannot be reached`

var (
	errNobody      = errors.New("nobody is logged in; run simapp login, set SIMAPP_TOKEN, or use --email")
	errExpired     = errors.New("the login has ended; run simapp login again")
	errUnreachable = errors.New("the relay cannot be reached")
	errNoVideo     = errors.New("no picture came")
	errStopped     = errors.New("stopped")
)

// exitStatus says what kind of error ended a command.
func exitStatus(err error) int {
	var (
		refused *simapp.RelayError
		closed  *simapp.ClosedError
		api     *simapp.APIError
		request *url.Error
		network *net.OpError
	)
	switch {
	case errors.As(err, &refused) && statusOf[refused.Code] != 0:
		return statusOf[refused.Code]
	case errors.As(err, &closed) && closed.Reason == wire.ReasonUnauthorized,
		errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden),
		errors.Is(err, client.ErrUnauthorized), errors.Is(err, errNobody), errors.Is(err, errExpired):
		return exitNotAllowed
	case closed != nil && (closed.Reason == wire.ReasonRobotGone || closed.Reason == wire.ReasonRobotLeft):
		return exitOffline
	case errors.Is(err, errUnreachable), errors.Is(err, client.ErrOffline), errors.As(err, &request),
		errors.As(err, &network) && network.Op == "dial":
		return exitUnreachable
	case errors.Is(err, errNoVideo):
		return exitNoVideo
	default:
		return cli.ExitFailed
	}
}

// statusOf has the relay's codes (CONTRACT §4) that say more than "failed".
//
//nolint:gochecknoglobals // a constant table
var statusOf = map[wire.Code]int{
	wire.CodeNotAuthorized: exitNotAllowed,
	wire.CodeDeviceOffline: exitOffline,
	wire.CodeViewerLimit:   exitFull,
}
