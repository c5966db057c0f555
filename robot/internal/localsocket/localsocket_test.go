package localsocket_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/robot/internal/localsocket"
)

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "robot.sock")
	listener, err := localsocket.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info, bad := os.Stat(path); bad != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode %v, %v", info, bad)
	}
	if _, err = localsocket.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("listened twice: %v", err)
	}
	if conn, bad := net.Dial("unix", path); bad != nil {
		t.Errorf("the first listener is gone: %v", bad)
	} else {
		_ = conn.Close()
	}
	if err = listener.Close(); err != nil {
		t.Error(err)
	}
	if _, err = os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}

// TestStaleSocketIsReplaced has the socket of a process that was killed.
func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "robot.sock")
	killed, err := localsocket.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	_ = killed.Close()
	listener, err := localsocket.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
}

func TestOtherFilesStay(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file: "is no socket", dir: "is no socket", filepath.Join(dir, "no", "such"): "no such",
		filepath.Join(dir, strings.Repeat("x", 200)): "invalid argument",
	} {
		if _, err := localsocket.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
