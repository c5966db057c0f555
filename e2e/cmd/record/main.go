// Command record makes the README's animated picture of a terminal: it runs the real
// system with one robot, types into a real shell what an owner types, and writes what
// the terminal showed as an animated SVG.
//
//	make recording
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

const (
	robotID   wire.DeviceID = "wimz_kitchen"
	email                   = "you@example.com"
	wholeTime               = 2 * time.Minute
	// maxSize bounds the picture in bytes: it is loaded with the README.
	maxSize = 200_000
)

func main() {
	out := flag.String("o", "terminal.svg", "the `file` to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintf(os.Stderr, "record: %v\n", err)
		os.Exit(1) //nolint:gocritic // the deferred calls only matter while the process lives
	}
}

func run(ctx context.Context, out string) (err error) {
	dir, err := filepath.Abs(".bin")
	if err != nil {
		return err
	}
	binaries := harness.Binaries{Dir: dir}
	if err = binaries.Check(); err != nil {
		return err
	}
	turn, err := harness.StartPionTURN(io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turn.Stop()) }()
	system, err := harness.Start(ctx, binaries, binaries, harness.Options{TURN: turn, Listen: harness.Preferred("127.0.0.1:8000"), Log: io.Discard})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Stop()) }()
	owner, err := system.AddUser(ctx, email)
	if err != nil {
		return err
	}
	config, err := system.AddDevice(ctx, robotID, owner)
	if err != nil {
		return err
	}
	if err = system.StartRobot(ctx, robotID, config, owner); err != nil {
		return err
	}
	frames, err := play(ctx, dir, system.RelayURL(), owner)
	if err != nil {
		return err
	}
	picture := draw(frames)
	if len(picture) > maxSize {
		return fmt.Errorf("the picture has %d bytes, %d at most", len(picture), maxSize)
	}
	fmt.Printf("%s: %d bytes, %.0f s\n", out, len(picture), frames[len(frames)-1].at.Seconds())
	return os.WriteFile(out, picture, 0o644)
}
