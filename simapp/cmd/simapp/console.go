package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// maxPassword bounds the line that is read from standard input.
const maxPassword = 1024

// password returns the password of an account: the first line of standard input,
// or what is typed on the terminal, which does not show it.
func (a *app) password(ctx context.Context, email string, fromStdin bool) (string, error) {
	if !fromStdin {
		return a.ask(ctx, fmt.Sprintf("Password of %s: ", email), (*term.Terminal).ReadPassword)
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, maxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// ask prompts on the terminal and returns a line. Ctrl-C ends it.
func (a *app) ask(ctx context.Context, prompt string, read func(t *term.Terminal, prompt string) (string, error)) (string, error) {
	c, err := openConsole(ctx, a.stdin)
	if err != nil {
		return "", fmt.Errorf("%w; use --email with --password-stdin, and the password on standard input", err)
	}
	defer c.Close() //nolint:errcheck // nothing is kept in it
	line, err := read(term.NewTerminal(c, ""), prompt)
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		_, _ = io.WriteString(c, "\r\n")
		return "", errStopped
	}
	return line, err
}
