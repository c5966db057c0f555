package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// askFunc asks the person at the terminal for something.
type askFunc func(ctx context.Context, prompt string) (string, error)

// terminal returns how to ask for something nobody else should see, and for
// something that may be seen; nil if stdin is no terminal.
func terminal(stdin io.Reader, stderr io.Writer) (ask, confirm askFunc) {
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, nil
	}
	fd := int(file.Fd())
	asking := func(read func() (string, error)) askFunc {
		return func(ctx context.Context, prompt string) (string, error) {
			_, _ = fmt.Fprint(stderr, prompt)
			return readLine(ctx, fd, read)
		}
	}
	ask = asking(func() (string, error) {
		defer func() { _, _ = fmt.Fprintln(stderr) }() // what was typed was not echoed
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	return ask, asking(func() (string, error) { return firstLine(file) })
}

// readLine reads a line, maybe with the echo off. A terminal has no deadline: when
// the context ends first, the echo is put back and the reading goroutine is left to
// the end of the process, which follows.
func readLine(ctx context.Context, fd int, read func() (string, error)) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		return "", errors.Join(errors.New("interrupted"), term.Restore(fd, before))
	}
}
