package selftest

import (
	"fmt"
	"strings"

	"wimz.dev/live/robot/internal/machine"
)

// board says how the board is, if it says anything.
func board(state machine.State) (s Step, known bool) {
	s = Step{Name: "board", Pass: true}
	var words []string
	if state.Celsius != nil {
		words = append(words, fmt.Sprintf("%.0f °C", *state.Celsius))
	}
	if p := state.Power; p != nil {
		switch {
		case p.UnderVoltage || p.HadUnderVoltage:
			words = append(words, "the power supply is too weak")
			s.Pass, s.Advice = false, "use the board's own power supply and a short cable"
		case p.Throttled || p.HadBeenThrottled:
			words = append(words, "slowed down because of heat")
			s.Pass, s.Advice = false, "give the board a heat sink or a fan"
		default:
			words = append(words, "neither heat nor a weak power supply slow it down")
		}
	}
	s.Text = strings.Join(words, ", ")
	return s, len(words) > 0
}
