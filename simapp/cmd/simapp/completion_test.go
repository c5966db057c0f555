package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"wimz.dev/live/relay/cli"
)

// completionOf writes a shell's script to a file.
func completionOf(t *testing.T, shell string) string {
	t.Helper()
	status, stdout, stderr := start(t, "", "completion", shell)
	if status != cli.ExitOK {
		t.Fatalf("status %d, %s", status, stderr)
	}
	name := filepath.Join(t.TempDir(), shell)
	if err := os.WriteFile(name, []byte(stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// completed are command lines, and what the Tab key finds for their last word.
var completed = map[string]string{
	"simapp wat":                   "watch",
	"simapp unp":                   "unpair",
	"simapp watch --vie":           "--viewers",
	"simapp --verbose watch --rec": "--record",
	"simapp watch --codec vp":      "vp8",
	"simapp watch --device ":       "",
	"simapp watch --record comp":   "completion",
	"simapp completion fi":         "fish",
	"simapp logout --verb":         "--verbose",
	"simapp devices --co":          "",
}

// shellTime bounds a shell: one that does not answer is killed.
const shellTime = time.Minute

// shell is a command that ends with the test, or when its time is over.
func shell(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shellTime)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, name, args...)
	c.WaitDelay = time.Second // for what it has started, and its output
	return c
}

// found reports whether a shell has found what is wanted, or nothing if that is.
func found(got, want string) bool {
	return got == want || want != "" && strings.HasPrefix(got, want)
}

func TestCompletionInBash(t *testing.T) {
	const ask = `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _simapp; echo "${COMPREPLY[*]}"`
	script := completionOf(t, "bash")
	for line, want := range completed {
		args := append([]string{"-c", ask, "bash", script}, strings.Split(line, " ")...)
		out, err := shell(t, "bash", args...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || !found(got, want) {
			t.Errorf("%q: %s, %v, want %q", line, got, err, want)
		}
	}
}

func TestCompletionInFish(t *testing.T) {
	script := completionOf(t, "fish")
	for line, want := range completed {
		out, err := shell(t, "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line).CombinedOutput()
		if got, _, _ := strings.Cut(string(out), "\t"); err != nil || !found(got, want) {
			t.Errorf("%q: %s, %v, want %q (make setup installs fish)", line, out, err, want)
		}
	}
}

func TestCompletionInZsh(t *testing.T) {
	script := completionOf(t, "zsh")
	zsh := shell(t, "zsh", "-f", "-i")
	zsh.Env = append(os.Environ(), "TERM=dumb")
	tty, err := pty.Start(zsh)
	if err != nil {
		t.Fatalf("%v (make setup installs zsh)", err)
	}
	defer func() {
		_ = zsh.Process.Kill()
		_ = zsh.Wait()
		_ = tty.Close()
	}()
	say := func(line, want string) {
		t.Helper()
		if _, err := tty.WriteString(line); err != nil {
			t.Fatal(err)
		}
		var seen bytes.Buffer
		for buffer := make([]byte, 1024); !strings.Contains(seen.String(), want); {
			n, err := tty.Read(buffer) // has no deadline on a pty; it ends with the shell
			seen.Write(buffer[:n])
			if err != nil {
				t.Fatalf("%q: %v, want %q\n%q", line, err, want, seen.String())
			}
		}
	}
	say("autoload -U compinit; compinit -u -D; source "+script+"; unsetopt zle_bracketed_paste; echo rea''dy\n", "ready")
	for line, want := range completed {
		if want != "" {
			say(line+"\t", want)
			say("\x15echo don''e\n", "done")
		}
	}
}
