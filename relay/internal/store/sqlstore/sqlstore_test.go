package sqlstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, config.MemoryDatabase) })
}

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, file(t)) })
}

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, database(t)) })
}

// lasting runs a test on each database that keeps what it has when it is closed.
func lasting(t *testing.T, test func(t *testing.T, url config.DatabaseURL)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, file(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, database(t)) })
}

func TestReopen(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		first := open(t, url)
		u := store.NewUser("ann@example.com", "hash", time.Now())
		d := store.Device{ID: "wimz_1", Secret: "s", Owner: u.ID, CreatedAt: u.CreatedAt}
		at := time.Unix(1_700_000_000, 0)
		for _, err := range []error{first.CreateUser(t.Context(), u), first.CreateDevice(t.Context(), d), first.AcceptSignature(t.Context(), d.ID, at), first.Close()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		second := open(t, url)
		if got, _, err := second.Standing(t.Context(), u.ID, ""); err != nil || got != u {
			t.Errorf("got %v, %v", got, err)
		}
		d.SignedAt = at.UTC()
		if got, err := second.Device(t.Context(), d.ID); err != nil || got != d {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// TestTwoProcesses opens one new database from several places at once, as a relay
// and the command line beside it do.
func TestTwoProcesses(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		var wait sync.WaitGroup
		for _, email := range []string{"a@b", "b@b", "c@b", "d@b"} {
			wait.Go(func() {
				db, err := sqlstore.Open(t.Context(), url)
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
	})
}

// TestProcessesTakeTurns: changes that read before they write wait for those of another
// process, and none fails for it.
func TestProcessesTakeTurns(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		ann := store.NewUser("ann@example.com", "hash", time.Now())
		relay, beside := open(t, url), open(t, url)
		for _, err := range []error{relay.CreateUser(t.Context(), ann), relay.CreateDevice(t.Context(), store.Device{ID: "wimz_1", Secret: "s"})} {
			if err != nil {
				t.Fatal(err)
			}
		}
		var wait sync.WaitGroup
		for _, db := range []*sqlstore.DB{relay, beside} {
			wait.Go(func() {
				for i := range 50 {
					if err := db.TransferDevice(t.Context(), "wimz_1", []store.UserID{ann.ID, ""}[i%2]); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wait.Wait()
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		newer := "PRAGMA user_version = 99"
		if url.PostgreSQL() {
			newer = "INSERT INTO schema_versions (version) VALUES (99)"
		}
		if err := open(t, url).Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, url, newer)
		if _, err := sqlstore.Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "newer relay") {
			t.Errorf("got %v", err)
		}
	})
}

// TestOlderSchema opens a file of the first version, which had less to say.
func TestOlderSchema(t *testing.T) {
	url := file(t)
	first, err := os.ReadFile("migrations/sqlite/0001_users_and_devices.sql")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, url, string(first)+`;
		INSERT INTO users (id, email, password_hash, created_at) VALUES ('u', 'ann@example.com', 'hash', 1);
		INSERT INTO devices (id, secret, owner, created_at, signed_at) VALUES ('d', 'secret', 'u', 2, 3);
		PRAGMA user_version = 1`)
	db := open(t, url)
	ann := store.User{ID: "u", Email: "ann@example.com", PasswordHash: "hash", CreatedAt: time.Unix(1, 0).UTC()}
	if got, _, err := db.Standing(t.Context(), "u", ""); err != nil || got != ann {
		t.Errorf("got %v, %v", got, err)
	}
	robot := store.Device{ID: "d", Secret: "secret", Owner: "u", CreatedAt: time.Unix(2, 0).UTC(), SignedAt: time.Unix(3, 0).UTC()}
	if got, err := db.Device(t.Context(), "d"); err != nil || got != robot {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestOldRevocationsGo makes all lines of the log old: they go with the next one,
// whose number is a new one nevertheless.
func TestOldRevocationsGo(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		db := open(t, url)
		ann := store.NewUser("ann@example.com", "hash", time.Now())
		if err := db.CreateUser(t.Context(), ann); err != nil {
			t.Fatal(err)
		}
		revoke := func() (seq int64) {
			if err := db.SetPassword(t.Context(), ann.ID, "hash", time.Now()); err != nil {
				t.Fatal(err)
			}
			seq, err := db.LastRevocation(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return seq
		}
		revoke()
		old := revoke()
		execute(t, url, fmt.Sprint("UPDATE revocations SET created_at = ", time.Now().Add(-store.RevocationsKept-time.Minute).Unix()))
		fresh := revoke()
		lines, err := db.Revocations(t.Context(), 0)
		if err != nil || fresh <= old || len(lines) != 1 || lines[0].Seq != fresh {
			t.Errorf("got %v, %v after %d", lines, err, old)
		}
	})
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, config.DatabaseURL(filepath.Join(dir, "wimz.db")))
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

func TestMissingDirectory(t *testing.T) {
	if _, err := sqlstore.Open(t.Context(), file(t)+"/no/wimz.db"); err == nil {
		t.Error("no error")
	}
}

// file names a SQLite file that is not there yet.
func file(t testing.TB) config.DatabaseURL {
	t.Helper()
	return config.DatabaseURL("sqlite://" + filepath.Join(t.TempDir(), "a b%.db"))
}

// execute runs statements behind the store's back.
func execute(t *testing.T, url config.DatabaseURL, statements string) {
	t.Helper()
	driver, source := "pgx", url.Reveal()
	if !url.PostgreSQL() {
		driver, source = "sqlite", strings.TrimPrefix(source, "sqlite://")
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
