package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

const (
	columns, lines = 110, 24
	// sampling is how often the screen is looked at, typing how fast keys are pressed.
	sampling = 100 * time.Millisecond
	typing   = 45 * time.Millisecond
	// prompt is what the shell shows when it waits.
	prompt = "$ "
)

// frame is what the screen showed from some moment on, line by line.
type frame struct {
	at    time.Duration
	lines [lines][]vt10x.Glyph
}

// terminal is a shell on a terminal that is watched.
type terminal struct {
	shell  *exec.Cmd
	pty    *os.File
	screen vt10x.Terminal
	began  time.Time

	stop    chan struct{}
	working sync.WaitGroup

	mu     sync.Mutex
	frames []frame
}

func open(home, bin string) (*terminal, error) {
	t := &terminal{
		shell: exec.Command("bash", "--norc", "--noprofile"), stop: make(chan struct{}), began: time.Now(),
		screen: vt10x.New(vt10x.WithSize(columns, lines)),
	}
	t.shell.Dir = home
	t.shell.Env = []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + bin + ":/usr/bin:/bin",
		"TERM=xterm-256color", "LANG=C.UTF-8", "PS1=" + prompt, "HISTFILE=",
	}
	var err error
	t.pty, err = pty.StartWithSize(t.shell, &pty.Winsize{Rows: lines, Cols: columns})
	if err != nil {
		return nil, err
	}
	t.working.Go(func() {
		reader := bufio.NewReader(t.pty)
		for t.screen.Parse(reader) == nil {
		}
	})
	t.working.Go(t.watch)
	return t, nil
}

// watch looks at the screen again and again.
func (t *terminal) watch() {
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		t.sample()
		select {
		case <-tick.C:
		case <-t.stop:
			return
		}
	}
}

// sample keeps the screen if it has changed.
func (t *terminal) sample() {
	now := frame{at: time.Since(t.began)}
	t.screen.Lock()
	cursor, shown := t.screen.Cursor(), t.screen.CursorVisible()
	for y := range lines {
		now.lines[y] = make([]vt10x.Glyph, columns)
		for x := range columns {
			g := t.screen.Cell(x, y)
			if shown && x == cursor.X && y == cursor.Y {
				g.FG, g.BG = vt10x.DefaultBG, vt10x.DefaultFG
			}
			now.lines[y][x] = g
		}
	}
	t.screen.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.frames); n == 0 || !slices.EqualFunc(t.frames[n-1].lines[:], now.lines[:], slices.Equal) {
		t.frames = append(t.frames, now)
	}
}

// enter presses keys.
func (t *terminal) enter(ctx context.Context, keys string) error {
	for _, key := range keys {
		if err := t.pause(ctx, typing); err != nil {
			return err
		}
		if _, err := t.pty.WriteString(string(key)); err != nil {
			return err
		}
	}
	return nil
}

// await returns when the screen shows a text, or the prompt alone on its last line.
func (t *terminal) await(ctx context.Context, text string) error {
	for {
		shown := strings.Split(strings.TrimRight(t.text(), " \n"), "\n")
		last := shown[len(shown)-1]
		if text == prompt && last == strings.TrimSpace(prompt) || text != prompt && strings.Contains(strings.Join(shown, "\n"), text) {
			return nil
		}
		if err := t.pause(ctx, sampling); err != nil {
			return fmt.Errorf("waited in vain for %q: %w", text, err)
		}
	}
}

func (t *terminal) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// text is what the screen shows, without colours.
func (t *terminal) text() string {
	t.screen.Lock()
	defer t.screen.Unlock()
	var b strings.Builder
	for y := range lines {
		var line strings.Builder
		for x := range columns {
			line.WriteRune(t.screen.Cell(x, y).Char)
		}
		b.WriteString(strings.TrimRight(line.String(), " \x00") + "\n")
	}
	return b.String()
}

// recorded returns the frames, and the last one once more for how long it was shown.
func (t *terminal) recorded() []frame {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.frames[len(t.frames)-1]
	end.at = time.Since(t.began)
	return append(t.frames, end)
}

func (t *terminal) close() {
	close(t.stop)
	_ = t.shell.Process.Kill()
	_ = t.shell.Wait()
	_ = t.pty.Close()
	t.working.Wait()
}
