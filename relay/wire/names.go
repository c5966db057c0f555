package wire

import (
	"maps"
	"slices"
)

// Types lists every message type of this version, sorted.
func Types() []Type { return slices.Sorted(maps.Keys(ruleOf)) }

// Codes lists every error code the relay gives.
func Codes() []Code {
	return []Code{
		CodeNoDevice, CodeNotAuthorized, CodeDeviceOffline, CodeTURNError, CodeViewerLimit, CodeOfferTimeout,
		CodeAnswerTimeout, CodeSessionUnknown, CodeStaleCommand, CodeRateLimited, CodeTooLarge, CodeBadMessage, CodeInternal,
	}
}

// Reasons lists every reason that the relay and its clients give for a session's
// end. A message may hold another, of somebody else's making.
func Reasons() []Reason {
	return []Reason{
		ReasonAppLeft, ReasonRobotLeft, ReasonSuperseded, ReasonAppGone, ReasonRobotGone, ReasonOfferTimeout,
		ReasonAnswerTimeout, ReasonRobotError, ReasonUnauthorized, ReasonUnknown, ReasonTooSlow,
	}
}
