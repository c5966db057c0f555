package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

func TestExitStatusSaysWhatKindOfFailure(t *testing.T) {
	refused := func(code wire.Code) error { return &simapp.RelayError{Code: code, Text: "no"} }
	for status, errs := range map[int][]error{
		cli.ExitFailed: {
			errors.New("x"), refused(wire.CodeRateLimited), refused(wire.CodeInternal), &simapp.APIError{Status: http.StatusNotFound},
			&net.OpError{Op: "listen", Err: errors.New("in use")},
		},
		exitNotAllowed: {
			errNobody, errExpired, client.ErrUnauthorized, refused(wire.CodeNotAuthorized),
			&simapp.APIError{Status: http.StatusUnauthorized}, &simapp.APIError{Status: http.StatusForbidden},
			&simapp.ClosedError{Reason: wire.ReasonUnauthorized}, fmt.Errorf("%w: %w", errNoVideo, client.ErrUnauthorized),
		},
		exitOffline: {
			refused(wire.CodeDeviceOffline), &simapp.ClosedError{Reason: wire.ReasonRobotGone},
			&simapp.ClosedError{Reason: wire.ReasonRobotLeft},
		},
		exitNoVideo: {
			errNoVideo, fmt.Errorf("%w: %w", errNoVideo, simapp.ErrICEFailed), fmt.Errorf("%w: %w", errNoVideo, refused(wire.CodeOfferTimeout)),
		},
		exitFull:        {refused(wire.CodeViewerLimit)},
		exitUnreachable: {errUnreachable, client.ErrOffline, &url.Error{Op: "Post", Err: errors.New("x")}, &net.OpError{Op: "dial", Err: errors.New("x")}},
	} {
		for _, err := range errs {
			if got := exitStatus(fmt.Errorf("watch: %w", err)); got != status {
				t.Errorf("%v: status %d, want %d", err, got, status)
			}
		}
		if !strings.Contains(description, fmt.Sprintf("\n    %d  ", status)) {
			t.Errorf("status %d is not in the help", status)
		}
	}
}
