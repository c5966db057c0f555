// Package deploy_test holds what the robot is delivered with to the programs that
// will read it.
package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"wimz.dev/live/robot"
)

// TestUnit: systemd knows every line of the unit, and finds little left to take
// away from the service (2 of 10: the camera and netlink are what it has more than
// the relay).
func TestUnit(t *testing.T) {
	if exec.Command("systemd-analyze", "--version").Run() != nil {
		t.Skip("NOT CHECKED: systemd-analyze is not installed")
	}
	text, err := os.ReadFile("wimz-robot.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "/usr/bin/robot"
	if !bytes.Contains(text, []byte(installed)) {
		t.Fatalf("%s is not in the unit", installed)
	}
	unit := filepath.Join(t.TempDir(), "wimz-robot.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte(installed), []byte(self)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=true", "--threshold=20", "--no-pager", unit},
	} {
		said, err := exec.Command("systemd-analyze", arguments...).CombinedOutput()
		if err != nil || arguments[0] == "verify" && len(said) > 0 {
			t.Errorf("systemd-analyze %v: %v\n%s", arguments, err, said)
		}
	}
}

// TestConfiguration: what is installed lacks nothing but the cloud.
func TestConfiguration(t *testing.T) {
	if _, err := robot.LoadVideoConfig("robot.yaml"); err != nil {
		t.Error(err)
	}
	if _, err := robot.LoadConfig("robot.yaml"); err == nil {
		t.Error("it is accepted before it is filled in")
	}
}
