package child_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/camera/internal/child"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lost runs a shell script to the end of its output and returns why it ended.
func lost(t *testing.T, script string) error {
	t.Helper()
	c, err := child.Start("sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stdout.Close() //nolint:errcheck // it was only read
	defer c.Stop()
	if _, err = io.Copy(io.Discard, c.Stdout); err != nil {
		t.Fatal(err)
	}
	return c.Lost(io.EOF)
}

func TestLastWords(t *testing.T) {
	for script, want := range map[string]string{
		"":                               "sh: exit status 0",
		"exit 3":                         "sh: exit status 3",
		"kill -9 $$":                     "sh: signal: killed",
		"echo a >&2; echo b >&2; exit 1": "sh: exit status 1: b",
		"echo a >&2; echo >&2; exit 1":   "sh: exit status 1: a",
		"echo a >&2; printf b >&2":       "sh: exit status 0: b",
		`printf '\033[1;31mred\033[0m \377\n' >&2`:            "sh: exit status 0: [1;31mred[0m",
		"yes no | head -c 3000000 >&2; echo end >&2":          "sh: exit status 0: end",
		"yes | tr -d '\\n' | head -c 3000000 >&2":             "sh: exit status 0: " + strings.Repeat("y", 256),
		"exec >&-; trap '' INT; echo deaf >&2; exec sleep 60": "sh: it closed its output: deaf",
	} {
		if err := lost(t, script); err == nil || err.Error() != want {
			t.Errorf("%s: %.400v, want %q", script, err, want)
		}
	}
}

// TestStalled has a program that goes on.
func TestStalled(t *testing.T) {
	c, err := child.Start("sh", "-c", "echo hm >&2; echo; exec sleep 60")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stdout.Close() //nolint:errcheck // it was only read
	if _, err = c.Stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err = c.Lost(errors.New("nothing comes")); err == nil || err.Error() != "sh: nothing comes: hm" {
		t.Errorf("got %v", err)
	}
}

func TestNothingToStart(t *testing.T) {
	before := descriptors(t)
	if _, err := child.Start("no-such-program"); err == nil {
		t.Error("started")
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d files are open, there were %d", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
