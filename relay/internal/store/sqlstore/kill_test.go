package sqlstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// writerURL makes this program a writer on the database it names, and nothing else.
const writerURL = "SQLSTORE_TEST_WRITER"

// TestKill kills a process with SIGKILL while it makes accounts without a pause,
// again and again: every account it has reported is there.
func TestKill(t *testing.T) {
	lasting(t, func(t *testing.T, url config.DatabaseURL) {
		for round := range 5 {
			writer := exec.CommandContext(t.Context(), os.Args[0])
			writer.Env = append(os.Environ(), writerURL+"="+url.Reveal())
			writer.Stderr = os.Stderr
			output, err := writer.StdoutPipe()
			check(t, err, nil)
			check(t, writer.Start(), nil)
			var reported []string
			for lines := bufio.NewScanner(output); lines.Scan(); {
				reported = append(reported, lines.Text())
				if len(reported) == 20*(round+1) {
					check(t, writer.Process.Kill(), nil)
				}
			}
			if err = writer.Wait(); err == nil || err.Error() != "signal: killed" {
				t.Fatalf("the writer ended by itself: %v", err)
			}
			db, err := sqlstore.Open(t.Context(), url)
			check(t, err, nil)
			for _, email := range reported {
				if _, err := db.UserByEmail(t.Context(), email); err != nil {
					t.Errorf("%s: %v", email, err)
				}
			}
			check(t, db.Close(), nil)
		}
	})
}

// write makes accounts until it is killed, and reports each that is made.
func write(url config.DatabaseURL) {
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, url)
	for err == nil {
		u := store.NewUser("", "hash", time.Now())
		u.Email = string(u.ID) + "@example.com"
		if err = db.CreateUser(ctx, u); err == nil {
			_, err = fmt.Println(u.Email) //nolint:forbidigo // to the process that reads it
		}
	}
	fmt.Fprintln(os.Stderr, err)
}
