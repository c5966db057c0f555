package main

import (
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// TestBackupAndRestore takes a backup while the database is open elsewhere, as by a
// running relay, and goes back to it.
func TestBackupAndRestore(t *testing.T) {
	s := newShell(t)
	const password = "correct horse"
	s.must(password, "user", "add", "ann@example.com", "--password-stdin")
	s.must("", "device", "add", "kept", "--owner=ann@example.com")
	refused := func(want string, args ...string) {
		t.Helper()
		status, stdout, stderr := s.run("", args...)
		if status != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("relay %v: status %d, output %q, %q", args, status, stdout, stderr)
		}
	}
	relay, err := sqlstore.Open(t.Context(), config.DatabaseURL(filepath.Join(s.dir, "test.db")))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.must("", "backup", "copy.db"); got != "wrote copy.db\n" {
		t.Errorf("got %q", got)
	}
	s.must("", "device", "add", "lost", "--owner=ann@example.com")
	refused("there is a file copy.db already", "backup", "copy.db")
	refused("replace it with --force", "restore", "copy.db")
	refused("is in use: stop the relay", "restore", "copy.db", "--force")
	if err := relay.Close(); err != nil {
		t.Fatal(err)
	}
	s.must("", "restore", "copy.db", "--force")
	if got := s.must("", "device", "list"); !strings.Contains(got, "kept  ann@example.com") || strings.Contains(got, "lost") {
		t.Errorf("got:\n%s", got)
	}

	writeFile(t, "text.db", "a text")
	refused("text.db is not a sound backup", "restore", "text.db", "--force")
	refused("gone.db", "restore", "gone.db", "--force")
	refused("use pg_dump", "backup", "other.db", "--database-url=postgres://h/d")
	refused("use pg_restore", "restore", "copy.db", "--database-url=postgres://h/d")
	if got := s.must("", "device", "list"); !strings.Contains(got, "kept  ann@example.com") {
		t.Errorf("got:\n%s", got)
	}
}
