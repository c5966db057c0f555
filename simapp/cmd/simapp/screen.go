package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// screen shows a viewing once a second: as lines that are rewritten on a
// terminal, as a line each elsewhere, or as JSON.
type screen struct {
	out    io.Writer
	device wire.DeviceID
	json   bool
	tty    bool
	drawn  int // lines on the terminal to be rewritten
	start  time.Time
}

func newScreen(out io.Writer, device wire.DeviceID, asJSON bool) *screen {
	file, ok := out.(*os.File)
	return &screen{
		out: out, device: device, json: asJSON, start: time.Now(),
		tty: ok && term.IsTerminal(int(file.Fd())),
	}
}

// show writes the figures so far.
func (s *screen) show(r simapp.Report) {
	elapsed := time.Since(s.start).Round(time.Second)
	switch {
	case s.json:
		_ = json.NewEncoder(s.out).Encode(r) //nolint:errchkjson // what matters is the last one, see close
	case s.tty:
		s.rewrite(dashboard(s.device, elapsed, r))
	default:
		_, _ = fmt.Fprintln(s.out, line(elapsed, r))
	}
}

// close writes the report. It is all that a program reads, so a failure counts.
func (s *screen) close(r simapp.Report) error {
	if s.json {
		return json.NewEncoder(s.out).Encode(r)
	}
	s.rewrite(nil)
	_, err := fmt.Fprint(s.out, summary(s.device, r))
	return err
}

// rewrite replaces the lines drawn last (ECMA-48: cursor up, erase below).
func (s *screen) rewrite(lines []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", s.drawn)
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	s.drawn = len(lines)
	_, _ = io.WriteString(s.out, b.String())
}
