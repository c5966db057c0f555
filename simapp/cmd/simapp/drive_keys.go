package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"wimz.dev/live/simapp"
)

const keysHelp = "  t takes the wheel · arrows, WASD drive · space stops · e emergency · q quits"

// byKeys drives until the user leaves. The terminal is given back in any case.
func (c *driveCmd) byKeys(ctx context.Context, a *app, s *watcher, refusals <-chan *simapp.RefusedError) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tty, err := openConsole(ctx, a.stdin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	keys := make(chan key)
	go readKeys(ctx, tty, keys)
	defer func() {
		cancel() // ends the read
		for range keys {
		}
	}()
	screen := newScreen(a, c.Device)
	screen.enter()
	defer screen.leave()
	d := &driver{motors: motors{s.viewing, zeros}, wheel: wheel{speed: c.Speed}}
	return d.follow(ctx, s, screen, keys, refusals)
}

// readKeys sends what is pressed until ctx or the terminal ends, and then closes
// keys.
func readKeys(ctx context.Context, tty io.Reader, keys chan<- key) {
	defer close(keys)
	var reader keyReader
	buffer := make([]byte, 64)
	for {
		n, err := tty.Read(buffer)
		for _, b := range buffer[:n] {
			if k := reader.next(b); k != keyNone {
				select {
				case keys <- k:
				case <-ctx.Done():
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// follow drives until the user leaves, the terminal is gone, or the video is.
func (d *driver) follow(ctx context.Context, s *watcher, screen *screen, keys <-chan key, refusals <-chan *simapp.RefusedError) error {
	frames, seconds := time.NewTicker(frameEvery), time.NewTicker(time.Second)
	defer frames.Stop()
	defer seconds.Stop()
	s.sample(time.Now())
	for {
		select {
		case k, open := <-keys:
			if !open || k == keyQuit {
				d.quit()
				return nil
			}
			d.press(k, time.Now())
		case now := <-frames.C:
			if !d.frame(now) {
				continue // nothing new to be shown
			}
		case now := <-seconds.C:
			s.sample(now)
		case r := <-refusals:
			d.refuse(r)
		case told := <-screen.signals:
			screen.obey(told)
		case <-d.Done():
			return d.Err()
		case <-ctx.Done():
			d.quit()
			return nil
		}
		now := time.Now()
		screen.drive(s.view(now), d.words(now), d.notice)
	}
}

// driver drives by keys.
type driver struct {
	motors

	wheel  wheel
	notice string // why the wheel was lost, or the robot stands
}

func (d *driver) press(k key, now time.Time) {
	switch k {
	case keyTake:
		d.wheel.taken, d.notice = true, ""
	case keyStop, keyEmergency:
		d.wheel.release()
		d.resting = zeros
		d.notice = "stopped"
		if k == keyEmergency {
			d.wheel.lose()
			d.notice = "emergency stop"
		}
		if err := d.Stop(k == keyEmergency); err != nil {
			d.notice = err.Error()
		}
	default:
		if d.wheel.taken {
			d.notice = ""
		}
		d.wheel.press(k, now)
		d.frame(now) // at once
	}
}

// frame tells the motors, and reports whether there was anything to be told.
func (d *driver) frame(now time.Time) bool {
	left, right := d.wheel.motors(now)
	told, err := d.run(left, right, now)
	if errors.Is(err, errBlind) {
		d.wheel.release()
		d.notice = err.Error()
		_, err = d.run(0, 0, now)
	}
	if err != nil {
		d.wheel.lose()
		d.notice = err.Error()
	}
	return told
}

// refuse gives the wheel up: the robot does not do what it is told.
func (d *driver) refuse(r *simapp.RefusedError) {
	d.wheel.lose()
	d.resting = zeros // what it was refused for rests at once
	d.notice = r.Text
}

// quit stops the robot, if this driver has the wheel. It stands soon without that,
// so a failure does not matter.
func (d *driver) quit() {
	if d.wheel.taken {
		_ = d.Stop(false)
	}
}

// words says who drives, and how.
func (d *driver) words(now time.Time) string {
	if left, right := d.wheel.motors(now); left != 0 || right != 0 {
		return fmt.Sprintf("driving, left %+.2f, right %+.2f", left, right)
	}
	if d.wheel.taken {
		return "yours; the robot stands"
	}
	return "not taken; press t to take the wheel"
}
