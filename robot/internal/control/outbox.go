package control

import (
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

// maxOrders is how many commands other than motor frames and stops may wait for the
// robot's software.
const maxOrders = 32

// order is a command that waits in its order.
type order struct {
	Command
	until  time.Time      // it is worth nothing later
	refuse func(*refusal) // if it is not written; it must not wait
}

// outbox is what one connection to the robot's software has yet to be written. It
// is bounded: one stop, which goes before everything, one motor frame, the newest,
// one word about its events, the newest, and [maxOrders] commands, which are refused
// when there are more.
type outbox struct {
	ready chan struct{} // holds a token while there may be something

	mu     sync.Mutex
	driven bool    // it has had a motor frame
	stop   Command // none without a name
	taken  Command // the stop that is being written
	motor  Speed
	moving bool // motor is to be written
	from   Origin
	orders []order
	wrong  string
	closed bool // nothing more is taken in
}

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

// put changes the outbox, and wakes its reader. It reports whether it was open.
func (o *outbox) put(change func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	change()
	select {
	case o.ready <- struct{}{}:
	default:
	}
	return true
}

// putStop also takes back the motor frame that waits. An emergency stop is not
// weakened by a stop that follows it.
func (o *outbox) putStop(c Command) bool {
	return o.put(func() {
		o.moving = false
		if o.stop.Name != EmergencyStop {
			o.stop = c
		}
	})
}

// putMotor replaces the motor frame that waits. A drive that began with the program
// before does not go on with this one.
func (o *outbox) putMotor(from Origin, s Speed, begins bool) *refusal {
	driven := false
	open := o.put(func() {
		if driven = o.driven || begins; driven {
			o.motor, o.from, o.moving, o.driven = s, from, true, true
		}
	})
	switch {
	case !open:
		return noSoftware
	case !driven:
		return restarted
	default:
		return nil
	}
}

func (o *outbox) putWrong(text string) { o.put(func() { o.wrong = text }) }

func (o *outbox) putOrder(next order) *refusal {
	full := false
	open := o.put(func() {
		if full = len(o.orders) == maxOrders; !full {
			o.orders = append(o.orders, next)
		}
	})
	switch {
	case !open:
		return noSoftware
	case full:
		return busy
	default:
		return nil
	}
}

// next appends what is to be written next to lines: a stop alone; else the motor
// frame, so that no other command holds it up, and one of those, so that no row of
// frames holds them up. last says that nothing follows, now or ever. late are
// commands that were not written in time.
func (o *outbox) next(lines []byte) (out []byte, last bool, late []order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken, o.stop = o.stop, Command{}
	if o.taken.Name != "" {
		return o.taken.appendTo(lines), false, nil
	}
	if o.moving {
		o.moving = false
		lines = appendMotor(lines, o.from, o.motor)
	}
	for len(o.orders) > 0 {
		first := o.orders[0]
		o.orders = o.orders[1:]
		if !time.Now().After(first.until) {
			lines = first.appendTo(lines)
			break
		}
		late = append(late, first)
	}
	if o.wrong != "" {
		lines = appendError(lines, o.wrong)
		o.wrong = ""
	}
	return lines, o.closed && len(lines) == 0, late
}

// close takes nothing more in, and returns the commands that waited. A stop is still
// to be written.
func (o *outbox) close() []order {
	var left []order
	o.put(func() { left, o.orders, o.moving, o.wrong, o.closed = o.orders, nil, false, "", true })
	return left
}

// unwritten returns the emergency stop that nobody has read, if there is one, when
// the connection has ended.
func (o *outbox) unwritten() (c Command, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c = range []Command{o.stop, o.taken} {
		if c.Name == EmergencyStop {
			return c, true
		}
	}
	return Command{}, false
}

//nolint:gochecknoglobals // constant values
var (
	noSocket   = &refusal{CodeNoSoftware, "The robot has no way to its software: control.socket is not set"}
	noSoftware = &refusal{CodeNoSoftware, "The robot's software is not running"}
	restarted  = &refusal{CodeStopped, "The robot's software was restarted; let go of the controls to drive again"}
	busy       = &refusal{CodeBusy, "The robot's software does not keep up"}
	stale      = &refusal{wire.CodeStaleCommand, "The robot's software did not take the command in time"}
)
