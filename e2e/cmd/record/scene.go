package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wimz.dev/live/e2e/harness"
)

// clearScreen is Ctrl-L.
const clearScreen = "\f"

// play types what an owner types, and returns what the terminal showed.
func play(ctx context.Context, bin, relay string, owner harness.User) ([]frame, error) {
	home, err := os.MkdirTemp("", "wimz-record")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home) //nolint:errcheck // a folder for a moment
	t, err := open(home, bin)
	if err != nil {
		return nil, err
	}
	defer t.close()
	for _, step := range []struct {
		types string
		until string // the screen shows this
		reads time.Duration
	}{
		{"", prompt, time.Second},
		{"simapp login --relay " + relay + " --email " + owner.Email + "\r", "assword", time.Second},
		{owner.Password + "\r", prompt, time.Second},
		{"simapp devices\r", prompt, 2 * time.Second},
		{clearScreen + "simapp watch --for 10s\r", prompt, 3 * time.Second},
		{clearScreen + "simapp doctor\r", prompt, 6 * time.Second},
	} {
		if err = t.enter(ctx, step.types); err == nil {
			err = t.await(ctx, step.until)
		}
		if err == nil {
			err = t.pause(ctx, step.reads)
		}
		if shown := t.text(); err == nil && (strings.Contains(shown, "simapp: ") || strings.Contains(shown, "✗")) {
			err = errors.New("a command failed")
		}
		if err != nil {
			return nil, fmt.Errorf("%w; the terminal shows\n%s", err, strings.ReplaceAll(t.text(), owner.Password, "***"))
		}
	}
	return t.recorded(), nil
}
