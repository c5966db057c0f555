package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// askFunc asks the person at the terminal for something nobody else should see.
type askFunc func(ctx context.Context, prompt string) (string, error)

// terminal returns how to ask, or nil if stdin is no terminal.
func terminal(stdin io.Reader, stderr io.Writer) askFunc {
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	fd := int(file.Fd())
	return func(ctx context.Context, prompt string) (string, error) {
		defer func() { _, _ = fmt.Fprintln(stderr) }()
		_, _ = fmt.Fprint(stderr, prompt)
		return readHidden(ctx, fd)
	}
}

// readHidden reads a line with the echo off. A terminal has no deadline: when the
// context ends first, the echo is put back and the reading goroutine is left to
// the end of the process, which follows.
func readHidden(ctx context.Context, fd int) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type line struct {
		text []byte
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return string(l.text), l.err
	case <-ctx.Done():
		return "", errors.Join(errors.New("interrupted"), term.Restore(fd, before))
	}
}
