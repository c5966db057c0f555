// Package child runs a program that writes pictures to its standard output, and
// ends it for certain: the program is the leader of a process group of its own,
// and with it goes whatever it has started. None becomes a zombie.
package child

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// grace is what a program gets to end by itself after SIGINT.
	grace = time.Second
	// pipeSize is how much of its output may wait to be read, in bytes: what Linux
	// allows everybody, and most of a 720p picture.
	pipeSize = 1 << 20
)

// Child is a running program.
type Child struct {
	// Stdout is what the program writes. Its reader is one goroutine, which closes
	// it at the end.
	Stdout *os.File

	cmd   *exec.Cmd
	words words
	stop  context.CancelFunc
	ended chan struct{}
	err   error // why it ended; valid once ended is closed
}

// Start starts a program, which is a name on PATH or a path. It runs until it ends
// by itself or [Child.Stop] is called, which must be in any case.
func Start(program string, args ...string) (*Child, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close() //nolint:errcheck // the program has its own copy
	enlarge(write)
	ctx, stop := context.WithCancel(context.Background())
	c := &Child{Stdout: read, stop: stop, ended: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: the owner names the program
	c.cmd.Stdout, c.cmd.Stderr = write, &c.words
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Cancel = func() error { return c.signal(syscall.SIGINT) }
	c.cmd.WaitDelay = grace
	if err = c.cmd.Start(); err != nil {
		stop()
		return nil, errors.Join(err, read.Close())
	}
	go c.reap()
	return c, nil
}

// enlarge lets a program write a picture without waiting for its reader, where
// the system allows it.
func enlarge(pipe *os.File) {
	if conn, err := pipe.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}

func (c *Child) signal(s syscall.Signal) error { return syscall.Kill(-c.cmd.Process.Pid, s) }

// reap waits for the program's end, ends what it leaves of its group, and only
// then lets go of its number, which the group has as well.
func (c *Child) reap() {
	defer close(c.ended)
	for errors.Is(unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	_ = c.signal(syscall.SIGKILL) // there may be nobody left
	c.err = c.cmd.Wait()
	c.stop()
}

// Stop ends the program and waits for its end: it is asked with SIGINT, and killed
// a second later. It may be called more than once, from any goroutine, and for a
// program that has ended by itself.
func (c *Child) Stop() {
	c.stop()
	<-c.ended
}

// Lost ends a program that gives nothing more to read, as err says, and returns why
// in words for people: how the program ended if it did by itself, and its last words
// on standard error in any case.
func (c *Child) Lost(err error) error {
	text := err.Error()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		text = c.status()
	}
	c.Stop()
	text = filepath.Base(c.cmd.Path) + ": " + text
	if last := c.words.last(); last != "" {
		text += ": " + last
	}
	return errors.New(text)
}

// status waits a moment for the end of a program that has closed its output, and
// says how it ended.
func (c *Child) status() string {
	select {
	case <-c.ended:
	case <-time.After(grace):
		return "it closed its output"
	}
	if c.err != nil {
		return c.err.Error()
	}
	return "exit status 0"
}
