package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// console is the terminal of the user in raw mode: each key is read as it is
// pressed, Ctrl-C too, and none is shown.
type console struct {
	*os.File

	fd     int
	before *term.State
	stop   func() bool
}

// openConsole takes the terminal, if that is what standard input is. What reads
// from it ends with ctx. It must be closed, whatever happens.
func openConsole(ctx context.Context, stdin io.Reader) (*console, error) {
	if !isTerminal(stdin) {
		return nil, errors.New("standard input is no terminal")
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0) // unlike standard input, it has read deadlines
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	c := &console{File: tty}
	raw, err := tty.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { c.fd = int(fd) }) // Fd would end the deadlines
	}
	if err == nil {
		c.before, err = term.MakeRaw(c.fd)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take the terminal: %w", err), tty.Close())
	}
	c.stop = context.AfterFunc(ctx, func() { _ = tty.SetReadDeadline(time.Unix(1, 0)) })
	return c, nil
}

// Close gives the terminal back as it was.
func (c *console) Close() error {
	c.stop()
	return errors.Join(term.Restore(c.fd, c.before), c.File.Close())
}
