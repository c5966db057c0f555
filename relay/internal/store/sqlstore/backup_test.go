package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// TestBackupUnderLoad takes backups while accounts are made. Each has every account
// that was there when it began, and none twice or by halves.
func TestBackupUnderLoad(t *testing.T) {
	url := file(t)
	db := open(t, url)
	var made atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		for i := 0; ctx.Err() == nil; i++ {
			if err := db.CreateUser(t.Context(), store.NewUser(fmt.Sprintf("user%06d@example.com", i), "hash", time.Now())); err != nil {
				t.Error(err)
				return
			}
			made.Store(int64(i + 1))
		}
	}()
	for i := range 5 {
		before := made.Load()
		for made.Load() < before+10 {
			if err := db.Ping(t.Context()); err != nil { // the writer is not far ahead
				t.Fatal(err)
			}
		}
		before = made.Load()
		backup := filepath.Join(t.TempDir(), "a backup#?%.db")
		check(t, sqlstore.Backup(t.Context(), url, backup), nil)
		after := made.Load() + 1 // one may be kept and not yet counted

		restored := file(t)
		check(t, sqlstore.Restore(t.Context(), restored, backup, false), nil)
		users, err := open(t, restored).Users(t.Context())
		check(t, err, nil)
		if n := int64(len(users)); n < before || n > after {
			t.Errorf("backup %d has %d accounts, there were %d to %d", i, n, before, after)
		}
	}
	stop()
	<-writer
}

func TestRestoreReplaces(t *testing.T) {
	ctx := t.Context()
	url := file(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	db := open(t, url)
	add := func(email string) { check(t, db.CreateUser(ctx, store.NewUser(email, "hash", time.Now())), nil) }
	add("ann@example.com")
	check(t, sqlstore.Backup(ctx, url, backup), nil)
	if info, err := os.Stat(backup); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	check(t, sqlstore.Backup(ctx, url, backup), fs.ErrExist)
	add("bob@example.com")
	check(t, sqlstore.Restore(ctx, url, backup, false), fs.ErrExist)
	check(t, sqlstore.Restore(ctx, url, backup, true), sqlstore.ErrInUse)
	emails(t, db, "ann@example.com", "bob@example.com")
	check(t, db.Close(), nil)

	check(t, sqlstore.Restore(ctx, url, backup, true), nil)
	emails(t, open(t, url), "ann@example.com")
}

func emails(t *testing.T, db *sqlstore.DB, want ...string) {
	t.Helper()
	users, err := db.Users(t.Context())
	check(t, err, nil)
	var got []string
	for _, u := range users {
		got = append(got, u.Email)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRestoreRefuses leaves the database alone, or away, when the file is no backup.
func TestRestoreRefuses(t *testing.T) {
	ctx := t.Context()
	url := file(t)
	check(t, open(t, url).Close(), nil)
	sound := filepath.Join(t.TempDir(), "sound.db")
	check(t, sqlstore.Backup(ctx, url, sound), nil)
	content, err := os.ReadFile(sound)
	check(t, err, nil)
	damaged := slices.Clone(content)
	for i := len(damaged) / 2; i < len(damaged); i++ {
		damaged[i] ^= 0x5a
	}
	for name, bytes := range map[string][]byte{
		"empty": {}, "text": []byte("not a database"), "cut": content[:len(content)/2], "damaged": damaged,
	} {
		t.Run(name, func(t *testing.T) {
			backup := filepath.Join(t.TempDir(), "backup.db")
			check(t, os.WriteFile(backup, bytes, 0o600), nil)
			for _, force := range []bool{false, true} {
				target := file(t)
				if err := sqlstore.Restore(ctx, target, backup, force); err == nil || !strings.Contains(err.Error(), "is not a sound backup") {
					t.Errorf("got %v", err)
				}
				path, err := target.Path()
				check(t, err, nil)
				_, err = os.Stat(path)
				check(t, err, fs.ErrNotExist)
			}
		})
	}
	for name, statement := range map[string]string{"newer": "PRAGMA user_version = 99", "another program's": "PRAGMA user_version = 0"} {
		t.Run(name, func(t *testing.T) {
			backup := filepath.Join(t.TempDir(), "backup.db")
			check(t, sqlstore.Backup(ctx, url, backup), nil)
			execute(t, config.DatabaseURL(backup), statement)
			if err := sqlstore.Restore(ctx, file(t), backup, false); err == nil || !strings.Contains(err.Error(), "this relay knows 1 to") {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := sqlstore.Restore(ctx, file(t), filepath.Join(t.TempDir(), "gone.db"), false); err == nil {
		t.Error("no error")
	}
}

func TestOnlyFilesAreBackedUp(t *testing.T) {
	for _, url := range []config.DatabaseURL{config.MemoryDatabase, "postgres://u:p@h/d"} {
		backup := filepath.Join(t.TempDir(), "backup.db")
		check(t, sqlstore.Backup(t.Context(), url, backup), sqlstore.ErrNoFile)
		check(t, sqlstore.Restore(t.Context(), url, backup, true), sqlstore.ErrNoFile)
	}
	missing := filepath.Join(t.TempDir(), "backup.db")
	if err := sqlstore.Backup(t.Context(), file(t), missing); err == nil {
		t.Error("there is nothing to back up")
	}
	_, err := os.Stat(missing)
	check(t, err, fs.ErrNotExist)
}

func check(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || (want == nil) != (got == nil) {
		t.Fatalf("got %v, want %v", got, want)
	}
}
