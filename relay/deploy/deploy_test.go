// Package deploy_test holds what the relay is delivered with to the programs that
// will read it.
package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"wimz.dev/live/relay/internal/config"
)

// tool returns the first program of which a version can be asked; without any the
// test is skipped, and says so.
func tool(t *testing.T, questions ...string) []string {
	t.Helper()
	for _, question := range questions {
		words := strings.Fields(question)
		if exec.Command(words[0], words[1:]...).Run() == nil {
			return words[:len(words)-1]
		}
	}
	t.Skipf("NOT CHECKED: none of these is installed: %q", questions)
	return nil
}

// passes runs a program that must be content, and returns what it says.
func passes(t *testing.T, dir string, line []string, args ...string) (said string) {
	t.Helper()
	command := exec.Command(line[0], append(line[1:], args...)...)
	command.Dir = dir
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		t.Errorf("%v: %v\n%s", command.Args, err, &output)
	}
	return output.String()
}

// TestUnit: systemd knows every line of the unit, tries again for ever, and finds
// little left to take away from the service (1.5 of 10).
func TestUnit(t *testing.T) {
	systemd := tool(t, "systemd-analyze --version")
	text, err := os.ReadFile("wimz-relay.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "/usr/local/bin/relay"
	if !bytes.Contains(text, []byte(installed)) {
		t.Fatalf("%s is not in the unit", installed)
	}
	unit := filepath.Join(t.TempDir(), "wimz-relay.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte(installed), []byte(self)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := passes(t, "", systemd, "verify", unit); said != "" {
		t.Errorf("a line that is ignored: %s", said)
	}
	if !regexp.MustCompile(`(?m)^StartLimitIntervalSec=0$`).Match(text) {
		t.Error("after some failures in a row, systemd would try no more")
	}
	passes(t, "", systemd, "security", "--offline=true", "--threshold=15", "--no-pager", unit)
}

// TestCompose: docker compose reads the file, with what README.md puts into .env.
func TestCompose(t *testing.T) {
	compose := tool(t, "docker compose version", "docker-compose version")
	dir := t.TempDir()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"compose.yaml": text, ".env": []byte("JWT_SECRET=secret\nTURN_SECRET=secret\nTURN_HOST=turn.example.com\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passes(t, dir, compose, "config", "--quiet")
}

// TestVariables: what these files set is what the relay knows.
func TestVariables(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
		}
	}
	text, err := os.ReadFile("compose.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &compose)
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range compose.Services["relay"].Environment {
		names = append(names, name)
	}
	for _, file := range []string{"Dockerfile", "README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)(?:^|ENV | )([A-Z][A-Z_]+)=`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, found[1])
		}
	}
	if len(names) < 10 {
		t.Errorf("found only %v", names)
	}
	known := append(config.Names(), "TURN_HOST", "COTURN_IMAGE") // of compose.yaml itself
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("the relay knows no %s", name)
		}
	}
}
