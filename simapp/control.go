package simapp

import (
	"encoding/json"
	"fmt"
	"math"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/internal/terminal"
)

// Drive sends one motor frame on the control channel (CONTRACT §6): how fast the
// robot's sides are to run, from -1, full speed back, to 1. The robot stops when none
// comes for 500 ms: who drives sends ten a second or more. What the robot does not
// carry out it answers, see Options.OnControl.
func (v *Viewing) Drive(left, right float64) error {
	return v.SendControl(fmt.Appendf(nil, `{"command":"motor","left":%g,"right":%g}`, left, right))
}

// Stop stops the robot, whoever drives it. After an emergency all must let go of
// their controls before they drive again. The channel may lose it: who drove also
// sends no more motor frames.
func (v *Viewing) Stop(emergency bool) error {
	if emergency {
		return v.SendControl([]byte(`{"command":"emergency_stop"}`))
	}
	return v.SendControl([]byte(`{"command":"stop"}`))
}

// Quality is what the robot says of the picture that it sends (CONTRACT §6,
// video_quality).
type Quality struct {
	Tier        string  `json:"tier"`
	Resolution  string  `json:"resolution"`
	BitrateKbps float64 `json:"bitrate_kbps"`
	LossPct     float64 `json:"loss_pct"`
	RTTMillis   float64 `json:"rtt_ms"`
	Bars        int     `json:"bars"` // 0 to 4: what the link carries
	Mode        string  `json:"mode"`
}

// RefusedError says that the robot does not carry a command out (CONTRACT §6,
// command_ack).
type RefusedError struct {
	Command string
	Code    wire.Code // of the robot: NO_SOFTWARE, TAKEN_OVER, STOPPED, …
	Text    string    // for people
}

func (r *RefusedError) Error() string { return fmt.Sprintf("%s (%s)", r.Text, r.Code) }

const (
	maxControl = 4096 // bytes of a message on the control channel that is read
	maxWord    = 120  // characters of a text in it
	maxBars    = 4
)

// ReadControl reads what came on the control channel: a [Quality], a [*RefusedError],
// or nil for anything else. Its texts are short and can be printed.
func ReadControl(data []byte) any {
	var m struct {
		Quality

		Type    string    `json:"type"`
		Command string    `json:"command"`
		Success *bool     `json:"success"`
		Code    wire.Code `json:"code"`
		Error   string    `json:"error"`
	}
	if len(data) > maxControl || json.Unmarshal(data, &m) != nil {
		return nil
	}
	switch {
	case m.Type == "video_quality":
		q := m.Quality
		if q.Bars < 0 || q.Bars > maxBars || math.Min(q.BitrateKbps, math.Min(q.LossPct, q.RTTMillis)) < 0 {
			return nil
		}
		q.Tier, q.Resolution, q.Mode = printable(q.Tier), printable(q.Resolution), printable(q.Mode)
		return q
	case m.Type == "command_ack" && m.Success != nil && !*m.Success:
		return &RefusedError{printable(m.Command), wire.Code(printable(string(m.Code))), printable(m.Error)}
	default:
		return nil
	}
}

// printable returns the beginning of a text, with nothing in it that a terminal
// would obey.
func printable(text string) string {
	runes := []rune(text)
	return terminal.Printable(string(runes[:min(len(runes), maxWord)]))
}
