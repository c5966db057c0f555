package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
)

// screen shows the viewers once a second: as a dashboard on a terminal, as a line
// each elsewhere, or as JSON.
type screen struct {
	out     io.Writer
	device  wire.DeviceID
	json    bool
	display *display         // nil if it is no terminal
	signals <-chan os.Signal // of the terminal, see obey
	start   time.Time

	shown []string // for obey
}

// newScreen decides how it is shown. With --verbose what is logged matters more
// than the dashboard.
func newScreen(a *app, device wire.DeviceID, asJSON bool) *screen {
	s := &screen{out: a.stdout, device: device, json: asJSON, start: time.Now()}
	if !asJSON && !a.verbose {
		s.display = newDisplay(a.stdout, a.held)
	}
	return s
}

// enter takes the terminal. It must be left again.
func (s *screen) enter() {
	if s.display != nil {
		s.signals = s.display.enter()
	}
}

// leave gives the terminal back. A second time it does nothing.
func (s *screen) leave() {
	if s.display != nil {
		s.display.leave()
	}
}

// show writes the figures so far, and how the recording does.
func (s *screen) show(views []view, recording string) {
	elapsed := time.Since(s.start).Round(time.Second)
	switch {
	case s.json:
		_ = s.print(views) // what matters is the last one, see report
	case s.display != nil:
		s.shown = dashboard(s.device, elapsed, views, recording, s.display.width())
		s.display.draw(s.shown)
	case elapsed > 0:
		for _, v := range views {
			_, _ = fmt.Fprintln(s.out, named(views, v)+line(elapsed, v))
		}
	}
}

// drive shows the video of who drives, and the state of the wheel.
func (s *screen) drive(v view, wheel string) {
	elapsed := time.Since(s.start).Round(time.Second)
	lines := dashboard(s.device, elapsed, []view{v}, "", s.display.width())
	lines[len(lines)-1] = "  " + label("wheel") + wheel
	lines = append(lines, keysHelp)
	s.shown = lines
	s.display.draw(s.shown)
}

// obey does what the terminal's user has asked for with a signal.
func (s *screen) obey(told os.Signal) {
	if s.display.obey(told) {
		s.display.draw(s.shown)
	}
}

// report writes what there is to say at the end. It is all that a program reads, so
// a failure counts.
func (s *screen) report(views []view) error {
	if s.json {
		return s.print(views)
	}
	var b strings.Builder
	for _, v := range views {
		b.WriteString(named(views, v) + summary(s.device, v))
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

// print writes a line of JSON for each viewer.
func (s *screen) print(views []view) error {
	for _, v := range views {
		if err := json.NewEncoder(s.out).Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// named says who is meant, if there are several.
func named(views []view, v view) string {
	if len(views) == 1 {
		return ""
	}
	return fmt.Sprintf("viewer %d: ", v.Viewer)
}
