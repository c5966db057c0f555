package child

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
)

// maxLine is how much is kept of a line, in bytes.
const maxLine = 256

// words keeps the last line that is written to it, however much that is. Its zero
// value is ready.
type words struct {
	mu     sync.Mutex
	line   []byte // the one that is being written
	before string // the last whole one that was not empty
}

// Write implements io.Writer. It never fails, for that would end the program.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		w.line = append(w.line, part[:min(len(part), maxLine-len(w.line))]...)
		p = rest
		if ended {
			w.endLocked()
		}
	}
	return n, nil
}

func (w *words) endLocked() {
	if text := clean(w.line); text != "" {
		w.before = text
	}
	w.line = w.line[:0]
}

func (w *words) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := clean(w.line); text != "" {
		return text
	}
	return w.before
}

// clean returns a line as it may be shown: programs colour theirs.
func clean(line []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(line), ""))
	return strings.TrimSpace(text)
}
