package sqlstore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// TestReach finds a database before and after it is first used.
func TestReach(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		if err := sqlstore.Reach(t.Context(), url); err != nil {
			t.Error(err)
		}
		if path, err := url.Path(); err == nil {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("made a file, or %v", err)
			}
		}
		open(t, url)
		if err := sqlstore.Reach(t.Context(), url); err != nil {
			t.Error(err)
		}
	})
	if err := sqlstore.Reach(t.Context(), config.MemoryDatabase); err != nil {
		t.Error(err)
	}
}

func TestReachInVain(t *testing.T) {
	folder := config.DatabaseURL(t.TempDir())
	for _, url := range []config.DatabaseURL{
		"", folder, folder + "/no/wimz.db",
		"postgres://u:hush@127.0.0.1:1/d?sslmode=disable", "postgres://u:hush@127.0.0.1:1/d?sslmode=hush",
	} {
		if err := sqlstore.Reach(t.Context(), url); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if left, err := filepath.Glob(string(folder) + "/*"); len(left) > 0 || err != nil {
		t.Errorf("made %v, %v", left, err)
	}
}
