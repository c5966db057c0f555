package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// What is said to the terminal (ECMA-48, and xterm's private modes).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the other screen, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	beginUpdate = "\x1b[?2026h\x1b[H" // show nothing until the end; from the top
	endUpdate   = "\x1b[J\x1b[?2026l" // nothing below
	endLine     = "\x1b[K\r\n"        // nothing behind
	bold        = "\x1b[1m"
	dim         = "\x1b[2m"
	plain       = "\x1b[0m"
)

// display is a terminal that is drawn on as a whole. What is logged meanwhile is
// shown behind it.
type display struct {
	out     *os.File
	held    *held
	signals chan os.Signal
	active  bool
}

// newDisplay returns nil if out is no terminal that can be drawn on.
func newDisplay(out io.Writer, log *held) *display {
	if !drawable(out) {
		return nil
	}
	return &display{out: out.(*os.File), held: log, signals: make(chan os.Signal, 1)} //nolint:forcetypeassert // a terminal is one
}

// drawable reports whether a stream is a terminal that knows ECMA-48.
func drawable(stream any) bool { return isTerminal(stream) && os.Getenv("TERM") != "dumb" }

// enter takes the terminal, and returns the signals of its user for obey.
func (d *display) enter() <-chan os.Signal {
	signal.Notify(d.signals, syscall.SIGWINCH, syscall.SIGTSTP)
	d.resume()
	return d.signals
}

func (d *display) resume() {
	d.held.hold()
	d.active = true
	_, _ = io.WriteString(d.out, enterScreen)
}

func (d *display) pause() {
	d.active = false
	_, _ = io.WriteString(d.out, leaveScreen)
	d.held.release()
}

// leave gives the terminal back as it was. A second time it does nothing.
func (d *display) leave() {
	signal.Stop(d.signals)
	if d.active {
		d.pause()
	}
}

// obey stops the program for Ctrl-Z, and reports whether to draw anew.
func (d *display) obey(told os.Signal) bool {
	if told == syscall.SIGTSTP {
		d.pause()
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) // until SIGCONT
		d.resume()
	}
	return true
}

// size returns columns and lines. A terminal that does not know has the usual ones.
func (d *display) size() (columns, lines int) {
	columns, lines, err := term.GetSize(int(d.out.Fd()))
	if err != nil || columns == 0 || lines == 0 {
		return 80, 24
	}
	return columns, lines
}

func (d *display) width() int {
	columns, _ := d.size()
	return columns
}

// draw replaces what is shown, in one write. Lines are cut to the terminal's width,
// the first is bold and the last is dim.
func (d *display) draw(lines []string) {
	columns, height := d.size()
	lines = lines[:min(len(lines), max(height-1, 1))]
	var b strings.Builder
	b.WriteString(beginUpdate)
	for i, l := range lines {
		style := ""
		switch i {
		case 0:
			style = bold
		case len(lines) - 1:
			style = dim
		}
		fmt.Fprintf(&b, "%s%s%s%s", style, cut(l, columns), plain, endLine)
	}
	b.WriteString(endUpdate)
	_, _ = io.WriteString(d.out, b.String())
}

// cut returns the beginning of a line that fits. All its characters are as wide.
func cut(line string, columns int) string {
	runes := []rune(line)
	return string(runes[:min(len(runes), columns)])
}

// maxHeld bounds what is held back, in bytes. More than that is lost.
const maxHeld = 64 << 10

// held passes writes on, or keeps them back while something else is on the
// terminal.
type held struct {
	mu      sync.Mutex
	to      io.Writer
	holding bool
	kept    bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.holding {
		return h.to.Write(p)
	}
	if h.kept.Len()+len(p) <= maxHeld {
		h.kept.Write(p)
	}
	return len(p), nil
}

func (h *held) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// release writes what was kept back.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = false
	_, _ = h.kept.WriteTo(h.to)
}
