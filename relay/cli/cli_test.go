package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/relay/cli"
)

type grammar struct {
	Work work `cmd:"" help:"Work."`
}

type work struct {
	Fail bool `help:"Fail."`
}

func (w *work) Run(ctx context.Context, done *bool) error {
	if w.Fail {
		return errors.Join(errors.New("first"), errors.New("second"))
	}
	*done = ctx.Err() == nil
	return nil
}

func TestStatusAndOutput(t *testing.T) {
	for name, tc := range map[string]struct {
		args           []string
		status         int
		done           bool
		stdout, stderr string
	}{
		"a command that works":      {args: []string{"work"}, done: true},
		"one that fails":            {args: []string{"work", "--fail"}, status: cli.ExitFailed, stderr: "tool: first\ntool: second\n"},
		"one that does not exist":   {args: []string{"play"}, status: cli.ExitUsage, stderr: "(see tool --help)\n"},
		"a flag that does not":      {args: []string{"work", "--hard"}, status: cli.ExitUsage, stderr: "tool: unknown flag --hard (see tool work --help)\n"},
		"help":                      {args: []string{"--help"}, stdout: "A tool."},
		"no command is a usage too": {status: cli.ExitUsage, stderr: "work"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			program := cli.Program{Name: "tool", Description: "A tool.", Stdout: &stdout, Stderr: &stderr}
			var done bool
			command, status := program.Parse(&grammar{}, tc.args)
			if command != nil {
				status = program.Run(t.Context(), command, &done)
			}
			if status != tc.status || done != tc.done {
				t.Errorf("status %d, done %v; want %d, %v", status, done, tc.status, tc.done)
			}
			if !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
			}
			if (tc.stderr == "") != (stderr.Len() == 0) {
				t.Errorf("stderr %q", &stderr)
			}
		})
	}
}

func TestStatusOfAnErrorMayBeTheProgramsOwn(t *testing.T) {
	program := cli.Program{Name: "tool", Stdout: io.Discard, Stderr: io.Discard, Status: func(error) int { return 7 }}
	command, _ := program.Parse(&grammar{}, []string{"work", "--fail"})
	if status := program.Run(t.Context(), command, new(bool)); status != 7 {
		t.Errorf("status %d", status)
	}
	if command, status := program.Parse(&grammar{}, []string{"play"}); command != nil || status != cli.ExitUsage {
		t.Errorf("status %d of a command line that makes no sense", status)
	}
}

func TestAnnounce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ready")
	remove, err := cli.Announce(name, "127.0.0.1:8000")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(name); string(text) != "127.0.0.1:8000" {
		t.Errorf("read %q, %v", text, err)
	}
	remove()
	if left, err := os.ReadDir(filepath.Dir(name)); len(left) > 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
	if _, err := cli.Announce(filepath.Join(name, "no", "such"), "x"); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}
