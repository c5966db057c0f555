package selftest

import (
	"context"
	"errors"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/config"
)

// session is the only one there is.
const session wire.SessionID = "selftest"

// loopCloud is a relay on this machine, which makes the robot use loopback. Nobody
// dials it.
func loopCloud() config.Cloud {
	cloud := config.Default().Cloud
	cloud.RelayURL, cloud.DeviceID, cloud.DeviceSecret = "ws://127.0.0.1", "selftest", "selftest"
	return cloud
}

// loop is a relay that has this program as its only app.
type loop struct {
	client.Config
	sent chan wire.Message // by the robot
}

func newLoop() *loop { return &loop{sent: make(chan wire.Message, 256)} }

// dial is for [robot.Parts].
func (l *loop) dial(c client.Config) (robot.Relay, error) {
	l.Config = c
	return l, nil
}

// Run implements [robot.Relay].
func (l *loop) Run(ctx context.Context) error {
	l.OnUp()
	<-ctx.Done()
	return nil
}

// Send implements [robot.Relay].
func (l *loop) Send(m wire.Message) error {
	if m.SessionID != session {
		return nil // the robot says that it is there
	}
	select {
	case l.sent <- m:
		return nil
	default:
		return errors.New("the self-test does not listen any more")
	}
}

// say hands the robot a message of the session.
func (l *loop) say(m wire.Message) {
	m.SessionID = session
	l.OnMessage(m)
}
