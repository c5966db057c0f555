package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, config.MemoryDatabase) })
}

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "a b#?%.db")) })
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wimz.db")
	first := open(t, path)
	u := store.NewUser("ann@example.com", "hash", time.Now())
	d := store.Device{ID: "wimz_1", Secret: "s", Owner: u.ID, CreatedAt: u.CreatedAt}
	at := time.Unix(1_700_000_000, 0)
	for _, err := range []error{first.CreateUser(t.Context(), u), first.CreateDevice(t.Context(), d), first.AcceptSignature(t.Context(), d.ID, at), first.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	second := open(t, path)
	if got, err := second.UserByID(t.Context(), u.ID); err != nil || got != u {
		t.Errorf("got %v, %v", got, err)
	}
	d.SignedAt = at.UTC()
	if got, err := second.Device(t.Context(), d.ID); err != nil || got != d {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, filepath.Join(dir, "wimz.db"))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("want the database and its log, got %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

// TestTwoProcesses opens one new file from several places at once, as a relay and
// the command line beside it do.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wimz.db")
	var wait sync.WaitGroup
	for _, email := range []string{"a@b", "b@b", "c@b", "d@b"} {
		wait.Go(func() {
			db, err := sqlstore.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.CreateUser(t.Context(), store.NewUser(email, "hash", time.Now())); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wimz.db")
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer relay") {
		t.Errorf("got %v", err)
	}
}

func TestMissingDirectory(t *testing.T) {
	if _, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "no", "wimz.db")); err == nil {
		t.Error("no error")
	}
}

func open(t *testing.T, path string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
