package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

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
		return "", errors.New("stopped")
	}
	return line, err
}
