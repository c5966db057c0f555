package control

import (
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

const (
	// deadman is how long the motors run without a new motor frame (CONTRACT §6).
	deadman = 500 * time.Millisecond
	// settle is for how long after a driver's own stop its motor frames are
	// ignored: the channel is unordered, and one sent before the stop may follow it.
	settle = 100 * time.Millisecond
	// tellEvery is how often the driver of an endless row of frames is told that
	// they are not carried out.
	tellEvery = time.Second
)

// Origin says by which way a command came.
type Origin string

// The ways of commands.
const (
	FromViewer Origin = "viewer" // the control channel
	FromRelay  Origin = "relay"
	FromRobot  Origin = "robot" // by itself
)

// Wheel decides who drives. One at a time does:
//
//   - Whoever begins to drive takes the wheel; if another has it, the robot stops
//     first.
//   - Who lost the wheel, or was stopped by somebody else or by emergency_stop,
//     must let go before driving again: be silent for 500 ms, stop, or send zeros.
//   - Without a motor frame for 500 ms, by the monotonic clock, the robot stops,
//     and so it does when the driver's way to it is gone.
//   - A stop is taken from anybody, and passed on even if nobody drives.
//
// Its methods may be called from any goroutine and do not wait.
type Wheel struct {
	software *Software

	mu      sync.Mutex
	closed  bool
	holder  *Driver     // nil: nobody drives
	deadman *time.Timer // runs while there is a holder
}

// NewWheel returns a wheel that nobody holds. It must be closed.
func NewWheel(software *Software) *Wheel {
	w := &Wheel{software: software}
	w.deadman = time.AfterFunc(deadman, w.silence)
	w.deadman.Stop()
	return w
}

// Driver is one who may take the wheel: a viewer, or all that comes through the
// relay. Its methods may be called from any goroutine and do not wait.
type Driver struct {
	wheel *Wheel
	from  Origin
	tell  func(Ack)

	// Guarded by the wheel's mutex. The times are zero until then.
	gone    bool
	barred  *refusal  // why it must let go first; nil: it need not
	drove   time.Time // its newest motor frame, carried out or not
	stopped time.Time // its own newest stop
	told    time.Time // that motor frames are not carried out, and why
	why     wire.Code
}

// Driver returns somebody who does not drive yet. tell takes the answers to
// commands that are not carried out; it must not wait.
func (w *Wheel) Driver(from Origin, tell func(Ack)) *Driver {
	return &Driver{wheel: w, from: from, tell: tell}
}

// Drive takes in a motor frame.
func (d *Driver) Drive(s Speed) {
	if told := d.wheel.drive(d, s); told != nil {
		told()
	}
}

// Stop takes in a [Stop] or an [EmergencyStop].
func (d *Driver) Stop(kind Kind) {
	if told := d.wheel.stop(d, kind); told != nil {
		told()
	}
}

// Refuse answers a command that breaks the contract. Motor frames, which come in
// rows, are answered once a second.
func (d *Driver) Refuse(command string, err error) {
	d.wheel.mu.Lock()
	told := d.refusedLocked(command, &refusal{wire.CodeBadMessage, err.Error()})
	d.wheel.mu.Unlock()
	if told != nil {
		told()
	}
}

// Release stops the robot if d drives, for a reason in words.
func (d *Driver) Release(reason string) {
	d.wheel.mu.Lock()
	defer d.wheel.mu.Unlock()
	d.wheel.releaseLocked(d, reason)
}

// Leave is Release for ever: nothing that d does counts any more.
func (d *Driver) Leave(reason string) {
	d.wheel.mu.Lock()
	defer d.wheel.mu.Unlock()
	d.wheel.releaseLocked(d, reason)
	d.gone = true
}

// Close stops the robot; nobody drives it any more.
func (w *Wheel) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.haltLocked(Command{Name: Stop, From: FromRobot, Reason: "the robot's program ends"})
}

// drive returns what is to be said then, nil if nothing is.
func (w *Wheel) drive(d *Driver, s Speed) (told func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || d.gone {
		return nil
	}
	now := time.Now()
	letGo := now.Sub(d.drove) >= deadman || s == Speed{}
	d.drove = now
	if letGo {
		d.barred = nil
	}
	switch {
	case d.barred != nil:
		return d.refusedLocked(string(Motor), d.barred)
	case now.Sub(d.stopped) < settle:
		return nil
	case w.holder != d && s == Speed{}: // a joystick at rest does not drive
		return nil
	}
	begins := w.holder != d
	if begins && w.holder != nil {
		told = w.takeOverLocked()
	}
	if refused := w.software.drive(d.from, s, begins); refused != nil {
		w.holder = nil
		w.deadman.Stop()
		d.barred = refused
		return d.refusedLocked(string(Motor), refused)
	}
	w.holder = d
	w.deadman.Reset(deadman)
	return told
}

// takeOverLocked stops the robot in the middle of another's drive.
func (w *Wheel) takeOverLocked() (told func()) {
	before := w.holder
	before.barred = &refusal{CodeTakenOver, "Another viewer drives now; let go of the controls to drive again"}
	w.haltLocked(Command{Name: Stop, From: FromRobot, Reason: "another viewer takes over"})
	return before.refusedLocked(string(Motor), before.barred)
}

func (w *Wheel) stop(d *Driver, kind Kind) (told func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || d.gone {
		return nil
	}
	before := w.holder
	d.barred, d.stopped = nil, time.Now()
	by := &refusal{CodeStopped, "The robot was stopped; let go of the controls to drive again"}
	if kind == EmergencyStop {
		d.barred = by
	}
	refused := w.haltLocked(Command{Name: kind, From: d.from})
	if before != nil && before != d {
		before.barred = by
		told = before.refusedLocked(string(Motor), by)
	}
	if refused != nil { // then nobody drove
		return d.refusedLocked(string(kind), refused)
	}
	return told
}

// haltLocked leaves the wheel to nobody and tells the robot's software to stop.
func (w *Wheel) haltLocked(c Command) *refusal {
	w.holder = nil
	w.deadman.Stop()
	return w.software.stop(c)
}

func (w *Wheel) releaseLocked(d *Driver, reason string) {
	if w.holder == d {
		w.haltLocked(Command{Name: Stop, From: FromRobot, Reason: reason})
	}
}

// silence is the dead man's switch. A frame may have come while it waited.
func (w *Wheel) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holder != nil && time.Since(w.holder.drove) >= deadman {
		w.haltLocked(Command{Name: Stop, From: FromRobot, Reason: "no motor frame for 500 ms"})
	}
}

// refusedLocked returns what tells d, nil if it has been told so a moment ago.
func (d *Driver) refusedLocked(command string, why *refusal) func() {
	if command == string(Motor) {
		now := time.Now()
		if d.why == why.code && now.Sub(d.told) < tellEvery {
			return nil
		}
		d.told, d.why = now, why.code
	}
	return func() { d.tell(why.of(command)) }
}
