package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// TestServerRestarts cuts all connections, as a restart of the server does: the
// next calls find the way back.
func TestServerRestarts(t *testing.T) {
	url := database(t)
	db := open(t, url)
	for range 3 {
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		execute(t, url, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		// The driver looks after a connection that was idle for a second; one that is
		// cut within it fails once.
		_ = db.Ping(t.Context())
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestChangesTakeTurns holds the turn in another process: a change gives up with
// its context and leaves nothing behind.
func TestChangesTakeTurns(t *testing.T) {
	url := database(t)
	db := open(t, url)
	ann := store.NewUser("ann@example.com", "hash", time.Now())
	check(t, db.CreateUser(t.Context(), ann), nil)
	other, err := sql.Open("pgx", url.Reveal())
	check(t, err, nil)
	tx, err := other.BeginTx(t.Context(), nil)
	check(t, err, nil)
	_, err = tx.ExecContext(t.Context(), sqlstore.Turn, "10000")
	check(t, err, nil)

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	check(t, db.DeleteUser(short, ann.ID), context.DeadlineExceeded)
	_, _, err = db.Standing(t.Context(), ann.ID, "")
	check(t, err, nil)
	check(t, tx.Rollback(), nil)
	check(t, other.Close(), nil)
	check(t, db.DeleteUser(t.Context(), ann.ID), nil)
}

// TestCutOff leaves a relay in the middle of a change, and nobody to end it but the
// server: the others wait no longer than the change may take.
func TestCutOff(t *testing.T) {
	url := database(t)
	db := open(t, url)
	other, err := sql.Open("pgx", url.Reveal())
	check(t, err, nil)
	tx, err := other.BeginTx(t.Context(), nil)
	check(t, err, nil)
	_, err = tx.ExecContext(t.Context(), sqlstore.Turn, "300")
	check(t, err, nil)
	check(t, db.DeleteUser(t.Context(), "nobody"), store.ErrNotFound)
	if tx.Commit() == nil {
		t.Error("the change that was cut off goes on")
	}
	check(t, other.Close(), nil)
}

// TestUnreachable shows no password, whatever is wrong.
func TestUnreachable(t *testing.T) {
	good := database(t)
	const hush = "correct-horse"
	for name, url := range map[string]string{
		"wrong password": strings.Replace(good.Reveal(), server.Password(), hush, 1),
		"nobody there":   "postgres://u:" + hush + "@127.0.0.1:1/d",
		"no such socket": "postgres://u:" + hush + "@/d?host=" + t.TempDir(),
		"bad option":     "postgres://u:x@h/d?sslmode=" + hush,
		"malformed":      "postgres://u:1/" + hush + "@h/d",
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqlstore.Open(t.Context(), config.DatabaseURL(url))
			if err == nil {
				t.Fatal("no error", db.Close())
			}
			if strings.Contains(err.Error(), hush) {
				t.Errorf("it shows the password: %v", err)
			}
			t.Log(err)
		})
	}
}
