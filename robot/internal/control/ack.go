package control

import "wimz.dev/live/relay/wire"

// Codes of refused commands, for programs.
const (
	CodeNoSoftware wire.Code = "NO_SOFTWARE" // nothing takes commands on the robot
	CodeBusy       wire.Code = "BUSY"        // what takes them does not keep up
	CodeTakenOver  wire.Code = "TAKEN_OVER"  // another viewer drives now
	CodeStopped    wire.Code = "STOPPED"     // somebody else has stopped the robot
)

// Ack answers a command that is not carried out, on the way it came: on the
// control channel as it is, through the relay as the event of that name
// (CONTRACT §5).
type Ack struct {
	Type    wire.Type `json:"type"` // "command_ack"
	Command string    `json:"command"`
	Success bool      `json:"success"`
	Code    wire.Code `json:"code"`
	Error   string    `json:"error"` // for people
}

// Message returns the answer as the robot's event.
func (a Ack) Message() wire.Message {
	return wire.Message{
		Type: a.Type, Command: a.Command, Code: a.Code, Error: a.Error, Fields: wire.Raw(`"success":false`),
	}
}

// refusal is why a command is not carried out.
type refusal struct {
	code wire.Code
	text string
}

// of returns the answer to the command of that name.
func (r *refusal) of(command string) Ack {
	return Ack{Type: "command_ack", Command: command, Code: r.code, Error: r.text}
}
