package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
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

// newScreen returns one that is a dashboard where that can be.
func newScreen(a *app, device wire.DeviceID) *screen {
	return &screen{out: a.stdout, device: device, display: newDisplay(a.stdout, a.stderr), start: time.Now()}
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

// show writes the figures so far, and how the recording does. It fails if nobody
// can read them any more.
func (s *screen) show(views []view, recording string) error {
	elapsed := time.Since(s.start).Round(time.Second)
	switch {
	case s.json:
		return s.print(views)
	case s.display != nil:
		lines := dashboard(s.device, elapsed, views, s.display.width())
		if recording != "" {
			lines = append(lines, "  "+label("recording")+recording)
		}
		s.draw(append(lines, "  Ctrl-C ends"))
	case elapsed > 0:
		var b strings.Builder
		for _, v := range views {
			b.WriteString(named(views, v) + line(elapsed, v) + "\n")
		}
		_, err := io.WriteString(s.out, b.String())
		return err
	}
	return nil
}

// drive shows the video of who drives, the state of the wheel, and why it is that, if
// there is a reason. On a low terminal the wheel matters most.
func (s *screen) drive(v view, wheel, reason string) {
	elapsed := time.Since(s.start).Round(time.Second)
	lines := dashboard(s.device, elapsed, []view{v}, s.display.width())
	lines = slices.Insert(lines, 1, "  "+label("wheel")+wheel, "  "+label("")+reason)
	s.draw(append(lines, keysHelp))
}

func (s *screen) draw(lines []string) {
	s.shown = lines
	s.display.draw(lines)
}

// obey does what the terminal's user has asked for with a signal.
func (s *screen) obey(told os.Signal) {
	if s.display.obey(told) {
		s.display.draw(s.shown)
	}
}

// report writes what there is to say at the end.
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
