package selftest

import (
	"fmt"
	"os"

	"wimz.dev/live/robot/internal/machine"
)

// board says how the board is, if it says anything.
func board() (Step, bool) {
	state := machine.Read(os.DirFS("/sys"))
	s := Step{Name: "board", Pass: true}
	if state.Celsius != nil {
		s.Text = fmt.Sprintf("%.0f °C", *state.Celsius)
	}
	if p := state.Power; p != nil {
		switch {
		case p.UnderVoltage || p.HadUnderVoltage:
			s.Pass = false
			s.Text += ", the power supply is too weak"
			s.Advice = "use the board's own power supply and a short cable"
		case p.Throttled || p.HadBeenThrottled:
			s.Pass = false
			s.Text += ", slowed down because of heat"
			s.Advice = "give the board a heat sink or a fan"
		default:
			s.Text += ", neither heat nor a weak power supply slow it down"
		}
	}
	return s, s.Text != ""
}
