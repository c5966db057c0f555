// Command demo shows live video on one machine: relay, fake TURN API, TURN
// server, one robot with a synthetic camera, and the viewer. It needs no
// account, no Docker and no network, and leaves nothing behind.
//
//	make demo                   until Ctrl-C
//	DEMO_SECONDS=20 make demo   for 20 seconds, checking that frames arrive
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

const robotID wire.DeviceID = "wimz_demo"

const (
	email = "demo@example.com"
	// checkTime bounds the check that frames arrive, checkFrames is how many.
	checkTime   = 30 * time.Second
	checkFrames = 30
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log, err := os.CreateTemp("", "wimz-demo-*.log")
	if err == nil {
		err = run(ctx, log)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		if log != nil {
			fmt.Fprintf(os.Stderr, "The programs' output is in %s\n", log.Name())
		}
		os.Exit(1) //nolint:gocritic // the deferred stop only matters while the process lives
	}
	_ = os.Remove(log.Name())
}

func run(ctx context.Context, log *os.File) (err error) {
	length, err := demoLength(os.Getenv("DEMO_SECONDS"))
	if err != nil {
		return err
	}
	d := &demo{binaries: harness.Binaries{Dir: ".bin"}, log: log}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it starts is no failure
		}
		return err
	}
	d.greet()
	if length == 0 {
		return d.wait(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	if err := d.check(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return d.wait(ctx)
}

func demoLength(seconds string) (time.Duration, error) {
	if seconds == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("DEMO_SECONDS=%s is not a number of seconds", seconds)
	}
	return time.Duration(n) * time.Second, nil
}

// demo is what runs.
type demo struct {
	binaries  harness.Binaries
	log       *os.File
	tokenFile string

	turn   *harness.TURN
	system *harness.System
	owner  harness.User
	viewer *harness.Program
}

func (d *demo) start(ctx context.Context) (err error) {
	dir, err := filepath.Abs(d.binaries.Dir)
	if err != nil {
		return err
	}
	d.binaries.Dir = dir
	if err = d.binaries.Check(); err != nil {
		return err
	}
	if d.turn, err = harness.StartPionTURN(d.log); err != nil {
		return err
	}
	d.system, err = harness.Start(ctx, d.binaries, d.binaries, harness.Options{
		TURN: d.turn, Listen: harness.Preferred("127.0.0.1:8000"), Log: d.log,
	})
	if err != nil {
		return err
	}
	if err = d.addRobot(ctx); err != nil {
		return err
	}
	d.viewer, err = d.binaries.Viewer(ctx, harness.Preferred("127.0.0.1:8080"), d.system.RelayURL(), d.owner.Token, d.log)
	return err
}

// addRobot makes the demo's account and robot.
func (d *demo) addRobot(ctx context.Context) (err error) {
	if d.owner, err = d.system.AddUser(ctx, email); err != nil {
		return err
	}
	config, err := d.system.AddDevice(ctx, robotID, d.owner)
	if err != nil {
		return err
	}
	d.tokenFile = config + ".token"
	if err := os.WriteFile(d.tokenFile, []byte(d.owner.Token), 0o600); err != nil {
		return err
	}
	return d.system.StartRobot(ctx, robotID, config, d.owner)
}

func (d *demo) greet() {
	fmt.Printf(`
  Live video:   %s

  In a terminal instead:
    SIMAPP_TOKEN=$(cat %s) \
      .bin/simapp watch --relay %s --device %s

  Ctrl-C ends it.

`, d.viewer.URL("/"), d.tokenFile, d.system.RelayURL(), robotID)
}

// check watches like a phone does and says what it saw.
func (d *demo) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	phone, err := d.system.Dial(ctx, d.owner, nil)
	if err != nil {
		return err
	}
	viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID})
	if err == nil {
		err = viewing.WaitFrames(ctx, checkFrames)
	}
	if err != nil {
		return fmt.Errorf("no video: %w", err)
	}
	r := viewing.Report()
	fmt.Printf("  Checked: %d frames of %s decoded, the first after %.0f ms, %.0f ms from camera to picture.\n",
		r.Frames, r.Codec, *r.TTFF, r.Latency.P50)
	viewing.Close()
	return nil
}

// wait returns when it is time, or somebody pressed Ctrl-C, or a program died.
func (d *demo) wait(ctx context.Context) error {
	robot := d.system.Robots[robotID]
	select {
	case <-ctx.Done():
		return nil
	case <-d.system.Relay.Done():
		return errors.New("the relay has ended")
	case <-d.system.Cloudflare.Done():
		return errors.New("the TURN API has ended")
	case <-robot.Done():
		return errors.New("the robot has ended")
	case <-d.viewer.Done():
		return errors.New("the viewer has ended")
	}
}

func (d *demo) stop() error {
	fmt.Println("  Ending.")
	var errs []error
	errs = append(errs, d.viewer.Stop())
	if d.system != nil {
		errs = append(errs, d.system.Stop())
	}
	return errors.Join(append(errs, d.turn.Stop(), d.log.Close())...)
}
