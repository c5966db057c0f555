package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// open opens the shell's database, as a relay beside it does.
func (s *shell) open() *sqlstore.DB {
	s.t.Helper()
	db, err := sqlstore.Open(s.t.Context(), config.DatabaseURL(filepath.Join(s.dir, "test.db")))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestAccountsOnTheCommandLine: what each command does to the account, and what a
// relay that runs learns of it.
func TestAccountsOnTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	s.must("correct horse", "user", "add", "bob@example.com", "--password-stdin")
	s.addRobot("wimz_1")
	db := s.open()
	ann, err := db.UserByEmail(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	seen := int64(0)
	for _, step := range []struct {
		stdin, args string
		password    string // that logs her in from now on; empty: none
		state       string // in the list; empty: she is not there
		revoked     []store.Revocation
	}{
		{"", "user list", "correct horse", "1       active", nil},
		{"", "user disable Ann@example.com", "", "1       disabled", []store.Revocation{{User: ann.ID}}},
		{"", "user enable ann@example.com", "correct horse", "1       active", nil},
		{"battery staple\n", "user password ann@example.com --password-stdin", "battery staple", "1       active", []store.Revocation{{User: ann.ID}}},
		{"", "user remove ann@example.com --yes", "", "", []store.Revocation{{User: ann.ID, Device: "wimz_1"}, {User: ann.ID}}},
	} {
		s.must(step.stdin, strings.Fields(step.args)...)
		for _, password := range []string{"correct horse", "battery staple"} {
			_, err := accounts(db).Login(t.Context(), ann.Email, password)
			if (err == nil) != (password == step.password) || (err != nil && !errors.Is(err, auth.ErrUnauthenticated)) {
				t.Errorf("%s: %s gives %v", step.args, password, err)
			}
		}
		list := s.must("", "user", "list")
		if shown := strings.Contains(list, "ann@example.com  "+step.state); shown != (step.state != "") || !strings.Contains(list, "bob@example.com  0       active") {
			t.Errorf("%s: the list is\n%s", step.args, list)
		}
		revoked, err := db.Revocations(t.Context(), seen)
		if err != nil || len(revoked) != len(step.revoked) {
			t.Fatalf("%s: revoked %v, %v", step.args, revoked, err)
		}
		for i, want := range step.revoked {
			seen, want.Seq = revoked[i].Seq, revoked[i].Seq
			if revoked[i] != want {
				t.Errorf("%s: revoked %v, want %v", step.args, revoked[i], want)
			}
		}
	}
	if robot, err := db.Device(t.Context(), "wimz_1"); err != nil || robot.Owner != "" {
		t.Errorf("her robot is %v's, %v", robot.Owner, err)
	}
}

func TestNoTokenForADisabledUser(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret)
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	s.must("", "user", "disable", "ann@example.com")
	if status, stdout, stderr := s.run("", "token", "ann@example.com"); status != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, "relay user enable ann@example.com") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

func TestRemoveAsks(t *testing.T) {
	broken := errors.New("terminal gone")
	for name, tt := range map[string]struct {
		answer string
		err    error
		want   string // the error; empty: none
	}{
		"yes":   {"yes", nil, ""},
		"no":    {"no", nil, "nothing was removed"},
		"enter": {"", nil, "nothing was removed"},
		"fails": {"", broken, broken.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
			var prompt string
			a := &app{cfg: config.Default(), stdout: new(bytes.Buffer), confirm: func(_ context.Context, p string) (string, error) {
				prompt = p
				return tt.answer, tt.err
			}}
			a.cfg.DatabaseURL = config.DatabaseURL(filepath.Join(s.dir, "test.db"))
			err := (&userRemoveCmd{Email: "ann@example.com"}).Run(t.Context(), a)
			if (err == nil) != (tt.want == "") || (err != nil && err.Error() != tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if !strings.Contains(prompt, "ann@example.com") {
				t.Errorf("asked %q", prompt)
			}
			if there := strings.Contains(s.must("", "user", "list"), "ann@example.com"); there == (tt.want == "") {
				t.Errorf("the account is there: %t", there)
			}
		})
	}
}
