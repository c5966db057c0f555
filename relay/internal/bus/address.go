package bus

import (
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// AppAddress is owned by one socket of an app.
func AppAddress(id PeerID) string { return "app." + string(id) }

// RobotAddress is owned by the newest socket of a robot.
func RobotAddress(id wire.DeviceID) string { return "robot." + string(id) }

// SessionAddress is owned by a session.
func SessionAddress(id wire.SessionID) string { return "session." + string(id) }

// UserTopic is joined by every app of a user.
func UserTopic(id store.UserID) string { return "user." + string(id) }

// PresenceTopic is joined by those who want to know when the owner of an app's
// or a robot's address is lost or back.
func PresenceTopic(address string) string { return "presence." + address }
