package simapp

import "fmt"

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
