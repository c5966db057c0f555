package ws

import (
	"time"

	"github.com/gorilla/websocket"
)

// perishableLen is how many perishable frames may wait for a socket: what two
// drivers send in a second, and then some.
const perishableLen = 256

// Perishable is a frame that is worth nothing after a while: a motor command
// that arrives late is worse than one that is lost.
type Perishable struct {
	Frame []byte
	Until time.Time
	// Lost is called, once, if the frame is not written in time, or not at all.
	// It may be called from any goroutine and must not block.
	Lost func()
}

// Offer queues a perishable frame beside those of [Conn.Send], neither of which
// delays or displaces the other for long. A peer that does not keep up is not
// closed: Offer reports false, and that is all. After true the frame is either
// handed to the network or lost, and p is the connection's.
func (c *Conn) Offer(p *Perishable) bool {
	select {
	case c.perishable <- p:
	default:
		return false
	}
	if c.ended.Err() != nil {
		c.spoil() // Serve may have looked for the last time
	}
	return true
}

// writePerishable reports whether the connection goes on.
func (c *Conn) writePerishable(p *Perishable) bool {
	if time.Now().After(p.Until) {
		p.Lost()
		return true
	}
	if c.writeOrEnd(websocket.TextMessage, p.Frame) {
		return true
	}
	p.Lost()
	return false
}

// spoil loses what waits.
func (c *Conn) spoil() {
	for {
		select {
		case p := <-c.perishable:
			p.Lost()
		default:
			return
		}
	}
}
