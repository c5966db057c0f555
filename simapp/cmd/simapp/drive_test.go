package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/simapp"
)

// fakeVehicle notes what it is told, with the time since it was made.
type fakeVehicle struct {
	start  time.Time
	told   []string
	newest time.Time // picture; zero: just now
	done   chan struct{}
	broken error // of the control channel

	breakAfter time.Duration
}

func newVehicle() *fakeVehicle { return &fakeVehicle{start: time.Now(), done: make(chan struct{})} }

func (v *fakeVehicle) say(format string, args ...any) error {
	v.told = append(v.told, fmt.Sprintf("%d ", time.Since(v.start).Milliseconds())+fmt.Sprintf(format, args...))
	if v.breakAfter > 0 && time.Since(v.start) >= v.breakAfter {
		return simapp.ErrNoControl
	}
	return v.broken
}

func (v *fakeVehicle) Drive(left, right float64) error { return v.say("%g %g", left, right) }
func (v *fakeVehicle) Stop(emergency bool) error       { return v.say("stop %v", emergency) }
func (v *fakeVehicle) Done() <-chan struct{}           { return v.done }
func (v *fakeVehicle) Err() error                      { return simapp.ErrICEFailed }

func (v *fakeVehicle) Totals() simapp.Totals {
	if v.newest.IsZero() {
		return simapp.Totals{Newest: time.Now()}
	}
	return simapp.Totals{Newest: v.newest}
}

func TestKeys(t *testing.T) {
	var r keyReader
	var got []key
	for _, b := range []byte("w\x1b[A\x1bOB\x1b[1;2C\x1b[D\x1bx\x1b[3~t e\x03Aq\x1b") {
		if k := r.next(b); k != keyNone {
			got = append(got, k)
		}
	}
	want := []key{keyForward, keyForward, keyBack, keyRight, keyLeft, keyTake, keyStop, keyEmergency, keyQuit, keyLeft, keyQuit}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWheelHoldsAKeyForAMoment(t *testing.T) {
	now := time.Now()
	w := wheel{speed: 0.8}
	w.press(keyForward, now)
	if left, right := w.motors(now); left != 0 || right != 0 {
		t.Error("drives without the wheel")
	}
	w.taken = true
	w.press(keyForward, now)
	w.press(keyLeft, now.Add(200*time.Millisecond))
	for after, want := range map[time.Duration][2]float64{
		0:                                        {0, 1}, // the second key was pressed at last
		249 * time.Millisecond:                   {0, 1},
		250 * time.Millisecond:                   {-0.8, 0.8},
		449 * time.Millisecond:                   {-0.8, 0.8},
		450 * time.Millisecond:                   {0, 0},
		keyTime + 1000*time.Millisecond:          {0, 0},
		math.MaxInt64 * time.Nanosecond:          {0, 0},
		250*time.Millisecond - 1*time.Nanosecond: {0, 1},
	} {
		if left, right := w.motors(now.Add(after)); left != want[0] || right != want[1] {
			t.Errorf("after %s: %g %g, want %v", after, left, right, want)
		}
	}
	w.press(keyForward, now.Add(240*time.Millisecond)) // the key repeats
	if left, _ := w.motors(now.Add(480 * time.Millisecond)); left != 0.8 {
		t.Errorf("left %g", left)
	}
	w.lose()
	if left, right := w.motors(now); left != 0 || right != 0 || w.taken {
		t.Error("drives on")
	}
}

func TestDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVehicle()
		d := &driver{motors: motors{v, zeros}, wheel: wheel{speed: 0.5}}
		d.press(keyForward, time.Now())
		if len(v.told) > 0 || !strings.Contains(d.words(time.Now()), "press t") {
			t.Errorf("%q: %s", v.told, d.words(time.Now()))
		}
		d.press(keyTake, time.Now())
		d.press(keyForward, time.Now())
		if got := d.words(time.Now()); got != "driving, left +0.50, right +0.50" {
			t.Error(got)
		}
		frames(d, 12)
		want := []string{"0 0.5 0.5", "50 0.5 0.5", "100 0.5 0.5", "150 0.5 0.5", "200 0.5 0.5", "250 0 0", "300 0 0", "350 0 0"}
		if !slices.Equal(v.told, want) {
			t.Errorf("told %q, want %q", v.told, want)
		}
		if got := d.words(time.Now()); got != "yours; the robot stands" {
			t.Error(got)
		}

		v.told, v.start = nil, time.Now()
		d.press(keyBack, time.Now())
		d.press(keyStop, time.Now())
		frames(d, 12)
		if want = []string{"0 -0.5 -0.5", "0 stop false"}; !slices.Equal(v.told, want) {
			t.Errorf("told %q, want %q", v.told, want)
		}

		v.told, v.start = nil, time.Now()
		d.press(keyBack, time.Now())
		d.refuse(&simapp.RefusedError{Text: "Another viewer drives now", Code: "TAKEN_OVER"})
		d.press(keyBack, time.Now())
		frames(d, 12)
		if want = []string{"0 -0.5 -0.5"}; !slices.Equal(v.told, want) || d.words(time.Now()) !=
			"not taken; press t to take the wheel" || d.notice != "Another viewer drives now" {
			t.Errorf("told %q, want %q: %s, %s", v.told, want, d.words(time.Now()), d.notice)
		}
		d.press(keyEmergency, time.Now())
		if !strings.HasSuffix(v.told[1], "stop true") {
			t.Errorf("told %q", v.told)
		}
		d.quit()
		if len(v.told) != 2 {
			t.Errorf("stops what somebody else drives: %q", v.told)
		}
	})
}

func TestDriverWhoSeesNothingStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVehicle()
		d := &driver{motors: motors{v, zeros}, wheel: wheel{speed: 0.5, taken: true}}
		v.newest = time.Now()
		for range 25 { // held down
			d.press(keyForward, time.Now())
			frames(d, 1)
		}
		if i := slices.IndexFunc(v.told, func(s string) bool { return strings.HasSuffix(s, " 0 0") }); i < 0 || !strings.HasPrefix(v.told[i], "1050 ") {
			t.Errorf("stood at %d of %q", i, v.told)
		}
		if !strings.Contains(d.notice, "no picture") {
			t.Error(d.notice)
		}
		v.newest, v.broken = time.Time{}, simapp.ErrNoControl
		d.press(keyForward, time.Now())
		if d.wheel.taken || !strings.Contains(d.notice, "control channel") {
			t.Error(d.notice)
		}
	})
}

// frames lets so many of them pass.
func frames(d *driver, n int) {
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	for range n {
		d.frame(<-tick.C)
	}
}

func TestOrders(t *testing.T) {
	for line, want := range map[string]order{
		"motor 0.5 -1":         {left: 0.5, right: -1, lasts: keyTime},
		"  motor 0 1 2s ":      {right: 1, lasts: 2 * time.Second},
		"wait 10s":             {lasts: maxTime},
		"stop":                 {stop: true},
		"emergency_stop":       {emergency: true},
		"# motor 1 1":          {},
		"":                     {},
		"motor 1":              {},
		"motor 1 1 1s 1":       {},
		"motor 1.1 0":          {},
		"motor NaN 0":          {},
		"motor 1 x":            {},
		"motor 1 1 0s":         {},
		"motor 1 1 11s":        {},
		"motor 1 1 1":          {},
		"wait":                 {},
		"wait -1s":             {},
		"stop now":             {},
		"dance":                {},
		"MOTOR 1 1":            {},
		"motor 0x1p-1 0":       {left: 0.5, lasts: keyTime},
		"motor 1 -0.5 250ms":   {left: 1, right: -0.5, lasts: keyTime},
		"motor\t1\t1":          {left: 1, right: 1, lasts: keyTime},
		"emergency_stop \x1b[": {},
	} {
		got, ok, err := parseOrder(line)
		if ok != (want != order{}) || ok && (got != want || err != nil) {
			t.Errorf("%q: %+v, %v, %v", line, got, ok, err)
		}
		if empty := strings.TrimSpace(line) == "" || line[0] == '#'; !ok && (err == nil) != empty {
			t.Errorf("%q: %v", line, err)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("the error has a control character: %v", err)
		}
	}
}

func TestLinesAreCarriedOutOneAfterTheOther(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		told  string
		err   string
	}{
		"two, and the end": {
			lines: "motor 1 1 100ms\nmotor -1 -1 100ms\n",
			told:  "0 1 1,50 1 1,100 -1 -1,150 -1 -1,200 stop false",
		},
		"a pause": {
			lines: "motor 1 1 60ms\nwait 200ms\nmotor 1 1 60ms\n",
			told:  "0 1 1,50 1 1,100 0 0,150 0 0,200 0 0,300 1 1,350 1 1,400 stop false",
		},
		"a stop":      {lines: "motor 1 1 60ms\nstop\nwait 100ms\nemergency_stop", told: "0 1 1,50 1 1,100 stop false,200 stop true,200 stop false"},
		"nonsense":    {lines: "motor 1 1 60ms\n\nfly\n", told: "0 1 1,50 1 1,100 stop false", err: "line 3: \"fly\" makes no sense"},
		"nothing":     {told: "0 stop false"},
		"a long line": {lines: "motor 1 1 60ms\n" + strings.Repeat("x", 300), told: "0 1 1,50 1 1,100 stop false", err: "line 2: bufio"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVehicle()
				err := obeyLines(t.Context(), readOrders(t.Context(), strings.NewReader(c.lines)), v, nil)
				if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Error(err)
				}
				if got := strings.Join(v.told, ","); got != c.told {
					t.Errorf("told %s, want %s", got, c.told)
				}
			})
		})
	}
}

func TestLinesEndWithWhatEndsThem(t *testing.T) {
	refusal := &simapp.RefusedError{Command: "motor", Code: "TAKEN_OVER", Text: "Another viewer drives now"}
	for name, c := range map[string]struct {
		happens func(v *fakeVehicle, refusals chan *simapp.RefusedError, stop func())
		want    error
		last    string
	}{
		"a refusal":   {func(_ *fakeVehicle, r chan *simapp.RefusedError, _ func()) { r <- refusal }, refusal, "150 1 1"},
		"the video":   {func(v *fakeVehicle, _ chan *simapp.RefusedError, _ func()) { close(v.done) }, simapp.ErrICEFailed, "150 1 1"},
		"Ctrl-C":      {func(_ *fakeVehicle, _ chan *simapp.RefusedError, stop func()) { stop() }, nil, "175 stop false"},
		"the channel": {func(*fakeVehicle, chan *simapp.RefusedError, func()) {}, simapp.ErrNoControl, "200 1 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, refusals := newVehicle(), make(chan *simapp.RefusedError)
				if name == "the channel" {
					v.breakAfter = 200 * time.Millisecond
				}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				lines, more := io.Pipe()
				ended := make(chan error)
				go func() { ended <- obeyLines(ctx, readOrders(ctx, lines), v, refusals) }()
				_, _ = io.WriteString(more, "motor 1 1 5s\n")
				<-time.After(175 * time.Millisecond)
				c.happens(v, refusals, stop)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Error(err)
				}
				_ = more.Close()
				if got := v.told[len(v.told)-1]; got != c.last {
					t.Errorf("told last %s, want %s", got, c.last)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		v := newVehicle()
		v.newest = time.Now()
		err := obeyLines(t.Context(), readOrders(t.Context(), strings.NewReader("motor 1 1 5s\n")), v, nil)
		if err == nil || !strings.Contains(err.Error(), "no picture") || v.told[len(v.told)-1] != "1050 stop false" {
			t.Errorf("%v, told %q", err, v.told)
		}
	})
}

func TestDriveCommandLine(t *testing.T) {
	home(t)
	for want, args := range map[string][]string{
		"--speed is":    {"--speed", "2"},
		"--speed is 0.": {"--speed", "NaN"},
		"Examples:":     {"--help"},
	} {
		status, stdout, stderr := start(t, "", append([]string{"drive", "--relay", "ws://h"}, args...)...)
		if !strings.Contains(stdout+stderr, want) || (status == cli.ExitUsage) != (want != "Examples:") {
			t.Errorf("%v: status %d, %s%s", args, status, stdout, stderr)
		}
	}
}
