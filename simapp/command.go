package simapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/wire"
)

// answerTimeout bounds how long the relay may take to handle a command.
const answerTimeout = 5 * time.Second

// Command is what a robot is told to do (CONTRACT §5).
type Command struct {
	Device wire.DeviceID   // empty: the user's only robot
	Name   string          // 1 to 64 characters of [a-z0-9_.]
	Data   json.RawMessage // an object, or empty
}

// message returns the command as it is sent, or a [*wire.BadMessageError].
func (c Command) message() (wire.Message, error) {
	m := wire.Message{Type: wire.TypeCommand, DeviceID: c.Device, Command: c.Name}
	if len(c.Data) > 0 && m.Data.UnmarshalJSON(c.Data) != nil {
		return m, &wire.BadMessageError{Type: m.Type, Rule: "data is not JSON"}
	}
	return wire.Decode(wire.Encode(m), wire.App) // by the rules the relay has
}

// driving is a phone's commands. What is below turn is guarded by Phone.mu.
type driving struct {
	turn chan struct{} // held by the one Command that the relay has not handled

	count   int           // of all commands
	name    string        // of the one that is not handled
	behind  wire.DeviceID // what is asked for behind it
	refused error         // what the relay has said of it
	handled chan error    // takes its outcome; nil if nobody waits
}

// Command sends a command and returns when the relay has handled it: nil if it
// was passed on to the robot, a [*RelayError] if it was refused, or at once a
// [*wire.BadMessageError] if it breaks the contract's bounds. What the robot
// makes of it is said by the robot's events, if at all. Concurrent calls wait
// for each other; who sends many a second uses [Phone.Send].
//
// Nothing on the wire says that a command was passed on. But the relay answers
// in order: when it says that it knows no robot of a name that was made up and
// asked for behind the command, it is done with the command.
func (p *Phone) Command(ctx context.Context, c Command) error {
	command, err := c.message()
	if err != nil {
		return err
	}
	select {
	case p.driving.turn <- struct{}{}:
		defer func() { <-p.driving.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.life.Done():
		return p.Err()
	}
	behind, handled := p.expectCommand(c.Name)
	defer p.forgetCommand()
	command.Timestamp = wire.Millis(time.Now()) // it may have waited
	err = errors.Join(p.Send(command), p.Send(wire.Message{Type: wire.TypeGetStatus, DeviceID: behind}))
	if err != nil {
		return err
	}
	limit := time.NewTimer(answerTimeout)
	defer limit.Stop()
	select {
	case err = <-handled:
		return err
	case <-limit.C:
		return &TimeoutError{Missing: "the relay's answer", After: answerTimeout}
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.life.Done():
		return p.Err()
	}
}

func (p *Phone) expectCommand(name string) (behind wire.DeviceID, handled <-chan error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &p.driving
	d.count++
	d.name, d.refused, d.handled = name, nil, make(chan error, 1)
	d.behind = wire.DeviceID(fmt.Sprintf("behind-command-%d", d.count))
	return d.behind, d.handled
}

func (p *Phone) forgetCommand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.driving.handled = nil
}

// hear takes in what the relay says of commands, and reports whether it was
// that.
func (d *driving) hear(m wire.Message) bool {
	switch {
	case m.Type == wire.TypeError && m.Command != "":
		if m.Command == d.name && d.refused == nil {
			d.refused = errorIn(m)
		}
	case d.behind != "" && m.DeviceID == d.behind: // the status, or that there were too many questions
		d.settle(d.refused)
	default:
		return false
	}
	return true
}

// settle ends the wait for a command's outcome.
func (d *driving) settle(outcome error) {
	if d.handled != nil {
		d.handled <- outcome
		d.handled = nil
	}
}
