// Package control is the way from a driver's hand to the robot's motors: what
// apps say on the control channel, who of them drives, when the motors stop, and
// the Unix socket on which the robot's own software is told.
//
//	app ─► control channel ─► Decode ─► Driver ─┐
//	app ─► control channel ─► Decode ─► Driver ─┼─► Wheel ─► Software ─► socket
//	app ─► relay ─────────────────────► Driver ─┘
//
// The layout of the socket's lines is in robot/control/README.md.
package control
