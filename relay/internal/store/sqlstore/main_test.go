package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/pgtest"
)

// server is PostgreSQL for all tests; nil if it is not installed.
var server *pgtest.Server

func TestMain(m *testing.M) {
	if url := os.Getenv(writerURL); url != "" {
		write(config.DatabaseURL(url))
		return
	}
	goleak.VerifyTestMain(served{m})
}

// served runs the tests with the server up, which has gone when leaks are counted.
type served struct{ *testing.M }

func (m served) Run() int {
	var err error
	var log bytes.Buffer
	server, err = pgtest.Start(context.Background(), &log)
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") != "true" {
		return m.M.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.M.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if at := bytes.Index(log.Bytes(), []byte("@example.com")); at >= 0 {
		fmt.Fprintf(os.Stderr, "the server's log names users: %.300s\n", log.Bytes()[max(0, at-200):])
		return 1
	}
	return code
}

// database makes an empty PostgreSQL database.
func database(t *testing.T) config.DatabaseURL {
	t.Helper()
	if server == nil {
		t.Skip("SKIPPED: ", pgtest.ErrMissing)
	}
	url, err := server.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return config.DatabaseURL(url)
}

func open(t testing.TB, url config.DatabaseURL) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), url)
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
