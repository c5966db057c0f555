package control

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"sync"
	"time"

	"wimz.dev/live/relay/wire"
)

// Bounds of one connection to the robot's software.
const (
	// maxLine is the longest event: what the relay takes, with room for what it
	// fills in.
	maxLine = wire.MaxFrame - wire.MaxFilledIn
	// writeTime is how long a program may not read before it is disconnected, by
	// which it knows that it has to stop.
	writeTime = time.Second
	// sendBuffer keeps the system from holding more than a few motor frames, in
	// bytes: they grow old there, and no stop can go before them.
	sendBuffer = 4 << 10
)

// program is one connection to the robot's software: one reader, one writer.
type program struct {
	conn   *net.UnixConn
	outbox *outbox
	ended  chan struct{} // the reader has ended
}

func newProgram(conn *net.UnixConn) *program {
	return &program{conn: conn, outbox: newOutbox(), ended: make(chan struct{})}
}

// serve returns when the connection has ended: by the program, by a fault, or after
// the outbox was closed and emptied.
func (p *program) serve(event func(line []byte) error) error {
	if err := p.conn.SetWriteBuffer(sendBuffer); err != nil {
		return errors.Join(err, p.conn.Close())
	}
	var read error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.ended)
		read = p.read(event)
	})
	written := p.write()
	_ = p.conn.Close() // it is given up
	reading.Wait()
	return errors.Join(written, read)
}

// write writes what is in the outbox until that is closed, or the reader has ended.
func (p *program) write() error {
	var buffer []byte
	for {
		lines, last, late := p.outbox.next(buffer[:0])
		buffer = lines
		refuseAll(late, stale)
		if len(lines) > 0 {
			if err := p.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
				return err
			}
			if _, err := p.conn.Write(lines); err != nil {
				return err
			}
			continue
		}
		if last {
			return nil
		}
		select {
		case <-p.outbox.ready:
		case <-p.ended:
			return nil
		}
	}
}

// read takes the program's lines until the connection ends. What is wrong with one
// the program is told.
func (p *program) read(event func(line []byte) error) error {
	lines := bufio.NewScanner(p.conn)
	lines.Buffer(nil, maxLine+1)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := event(line); err != nil {
			p.outbox.putWrong(err.Error())
		}
	}
	if err := lines.Err(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
