// Command beside measures what a robot costs beside one that is built on aiortc, as
// the specification draws it. Both send the same clip: 720p, 15 pictures a second,
// VP8 at 1.5 Mbit/s; to one viewer and to two.
//
//	make bench-aiortc
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

const (
	limit    = 3 * time.Minute // of everything
	pictures = 45              // of the clip
	python   = "/usr/bin/python3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "beside: %v\n", err)
		os.Exit(1) //nolint:gocritic // the deferred calls only matter while the process lives
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "wimz-beside")
	if err != nil {
		return err
	}
	l := &lab{clip: filepath.Join(dir, "clip.y4m")}
	defer func() { err = errors.Join(err, l.close(), os.RemoveAll(dir)) }()
	if err = harness.WriteClip(l.clip, 0, pictures); err != nil {
		return err
	}
	if err = l.open(ctx); err != nil {
		return err
	}
	ours, err := l.add(ctx, "wimz_ours", l.ours)
	if err != nil {
		return err
	}
	theirs, err := l.add(ctx, "wimz_theirs", l.theirs)
	if err != nil {
		return err
	}
	return l.compare(ctx, ours, theirs)
}

// lab is a relay, and the robots that are measured.
type lab struct {
	clip     string
	binaries harness.Binaries
	turn     *harness.TURN
	system   *harness.System
	owner    harness.User
	robots   []*robot
}

// robot is one that runs.
type robot struct {
	*exec.Cmd
	id wire.DeviceID
}

func (l *lab) open(ctx context.Context) (err error) {
	if l.binaries.Dir, err = filepath.Abs(".bin"); err != nil {
		return err
	}
	if l.turn, err = harness.StartPionTURN(os.Stderr); err != nil {
		return err
	}
	l.system, err = harness.Start(ctx, l.binaries, l.binaries, harness.Options{
		TURN: l.turn, NoTURN: true, Log: os.Stderr, LogLevel: slog.LevelWarn,
	})
	if err == nil {
		l.owner, err = l.system.AddUser(ctx, "owner@example.com")
	}
	return err
}

func (l *lab) close() error {
	for _, r := range l.robots {
		_ = r.Process.Kill()
		_ = r.Wait() // it was killed
	}
	var err error
	if l.system != nil {
		err = l.system.Stop()
	}
	return errors.Join(err, l.turn.Stop())
}

// add starts a robot and returns when it is online.
func (l *lab) add(ctx context.Context, id wire.DeviceID, program func(config string) (*exec.Cmd, error)) (*robot, error) {
	config, err := l.system.AddDevice(ctx, id, l.owner)
	if err != nil {
		return nil, err
	}
	command, err := program(config)
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	if err = command.Start(); err != nil {
		return nil, err
	}
	r := &robot{command, id}
	l.robots = append(l.robots, r)
	return r, l.system.AwaitOnline(ctx, id, l.owner)
}

// ours is the robot of this project, which draws nothing on the pictures either.
func (l *lab) ours(config string) (*exec.Cmd, error) {
	settings, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(settings, "camera: {source: file, file: {path: %s}}\noverlay: {enabled: false}\n", l.clip)
	return l.binaries.Command("robot", "run", "--config", config, "--log-level", "error"), errors.Join(err, settings.Close())
}

// theirs is the one on aiortc, which has the clip in its memory.
func (l *lab) theirs(config string) (*exec.Cmd, error) {
	secret, err := harness.DeviceSecret(config)
	return exec.Command(python, "e2e/aiortc/robot.py", l.system.RelayURL(), "wimz_theirs", secret, "--clip", l.clip), err
}
