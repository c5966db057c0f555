package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"wimz.dev/live/robot/internal/quality"
)

// MaxMessage bounds a message of the control channel, in bytes.
const MaxMessage = 4 << 10

// Kind says what a message of the control channel is.
type Kind string

// The messages of an app (CONTRACT §6).
const (
	Motor           Kind = "motor"
	Stop            Kind = "stop"
	EmergencyStop   Kind = "emergency_stop"
	Ping            Kind = "ping"
	SetVideoQuality Kind = "set_video_quality"
	SetOverlay      Kind = "set_overlay"
)

// Message is one message of an app. Only the fields of its kind are set.
type Message struct {
	Kind    Kind
	Speed   Speed        // of Motor
	Quality quality.Mode // of SetVideoQuality
	Overlay bool         // of SetOverlay: it is wanted
}

// Speed is how fast the two sides of the robot are to run: 1 is full speed
// ahead, -1 full speed back.
type Speed struct {
	Left  float64 `json:"left"`
	Right float64 `json:"right"`
}

// ErrUnknown is returned for a message that this version does not know. It is
// ignored: that is how the protocol grows.
var ErrUnknown = errors.New("unknown message")

// message is the shape of all of them.
type message struct {
	Type    string   `json:"type"`
	Command string   `json:"command"`
	Left    *float64 `json:"left"`
	Right   *float64 `json:"right"`
	Mode    string   `json:"mode"`
	Enabled *bool    `json:"enabled"`
}

// Decode reads one message of the control channel. It is named by command or by
// type. A message of a known kind that breaks the contract is an error that says
// how, in words for people, and comes with the kind; everything else that cannot
// be read is [ErrUnknown].
func Decode(frame []byte) (Message, error) {
	if len(frame) > MaxMessage {
		return Message{}, ErrUnknown
	}
	var m message
	shape := json.Unmarshal(frame, &m)
	kind := Kind(m.Command)
	if kind == "" {
		kind = Kind(m.Type)
	}
	out := Message{Kind: kind}
	var err error
	switch kind {
	case Stop, EmergencyStop, Ping:
		return out, nil // whatever is wrong with the rest of it
	case Motor:
		out.Speed, err = speed(m.Left, m.Right)
	case SetVideoQuality:
		if out.Quality = quality.Mode(m.Mode); !out.Quality.Valid() {
			err = errors.New("mode is unknown; use auto, low, medium or high")
		}
	case SetOverlay:
		if m.Enabled == nil {
			err = errors.New("enabled is missing; use true or false")
		} else {
			out.Overlay = *m.Enabled
		}
	default:
		return Message{}, ErrUnknown
	}
	if shape != nil && err == nil {
		err = errors.New("the message has a field of the wrong shape")
	}
	if err != nil {
		return Message{Kind: kind}, err
	}
	return out, nil
}

// rounding is what a joystick's arithmetic may add to full speed. What is further
// away is on another scale, of which we know nothing: it is refused, for to drive
// at full speed would be a guess.
const rounding = 0.01

func speed(left, right *float64) (Speed, error) {
	if left == nil || right == nil {
		return Speed{}, errors.New("left and right are numbers from -1 to 1")
	}
	s := Speed{Left: *left, Right: *right}
	for _, side := range []*float64{&s.Left, &s.Right} {
		if !(math.Abs(*side) <= 1+rounding) { // NaN is not, either
			return Speed{}, fmt.Errorf("left and right are numbers from -1 to 1, not %g", *side)
		}
		*side = max(-1, min(1, *side))
	}
	return s, nil
}
