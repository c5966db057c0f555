package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testSecret = "hush-hush-hush-hush-hush-hush-hush-hush"

// shell runs commands in a directory of its own, with a database and an
// environment that outlive them.
type shell struct {
	t       *testing.T
	dir     string
	environ []string
}

func newShell(t *testing.T, environ ...string) *shell {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return &shell{t, dir, append(environ, "ADMIN_LISTEN=127.0.0.1:0", "DATABASE_URL=sqlite://"+filepath.Join(dir, "test.db"))}
}

// run returns the status and what was written to standard output and error.
func (s *shell) run(stdin string, args ...string) (status int, stdout, stderr string) {
	s.t.Helper()
	var out, problems bytes.Buffer
	status = run(s.t.Context(), args, s.environ, strings.NewReader(stdin), &out, &problems)
	return status, out.String(), problems.String()
}

// must runs a command that succeeds and returns its output.
func (s *shell) must(stdin string, args ...string) string {
	s.t.Helper()
	status, stdout, stderr := s.run(stdin, args...)
	if status != cli.ExitOK || stderr != "" {
		s.t.Fatalf("relay %s: status %d: %s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

func TestCommandLine(t *testing.T) {
	const add = "correct horse\n"
	base := newShell(t)
	base.must(add, "user", "add", "bob@example.com", "--password-stdin")
	base.must("", "device", "add", "wimz_1", "--owner=bob@example.com")
	for _, tc := range []struct {
		name, stdin, args string
		environ           []string
		status            int
		stdout, stderr    string // what they contain; empty: nothing
	}{
		{name: "help", args: "--help", stdout: "First steps:"},
		{name: "help of serve", args: "serve --help", stdout: "($SESSION_GRACE)"},
		{name: "help of add", args: "device add --help", stdout: "umask 077"},
		{name: "version", args: "--version", stdout: cli.Version()},

		{name: "nothing", status: cli.ExitUsage, stderr: `relay: expected one of "serve"`},
		{name: "unknown command", args: "srve", status: cli.ExitUsage, stderr: "unexpected argument srve"},
		{name: "unknown flag", args: "serve --prot=1", status: cli.ExitUsage, stderr: "unknown flag --prot"},
		{name: "bad flag", args: "serve --session-grace=soon", status: cli.ExitUsage, stderr: "--session-grace: expected a time such as"},
		{name: "secret as a flag", args: "serve --jwt-secret=" + testSecret, status: cli.ExitUsage, stderr: "unknown flag --jwt-secret"},
		{name: "transfer to whom", args: "device transfer wimz_1", status: cli.ExitUsage, stderr: "missing flags: --to=EMAIL or --to-nobody"},
		{name: "transfer to both", args: "device transfer wimz_1 --to bob@example.com --to-nobody", status: cli.ExitUsage, stderr: "can't be used together"},

		{name: "serve without a secret", args: "serve", status: cli.ExitFailed, stderr: "relay: JWT_SECRET: is not set: make one with `openssl rand -hex 32`"},
		{name: "serve with a bad flag value", args: "serve --listen=nowhere", environ: []string{"JWT_SECRET=" + testSecret}, status: cli.ExitFailed, stderr: "relay: --listen: "},
		{name: "missing env file", args: "device list --env-file=gone", status: cli.ExitFailed, stderr: "relay: cannot read the environment file: open gone"},
		{name: "bad environment", args: "device list", environ: []string{"PORT=high"}, status: cli.ExitFailed, stderr: "relay: PORT: expected"},
		{name: "postgres without a database", args: "device list --database-url=postgres://u:" + testSecret + "@h", status: cli.ExitFailed, stderr: "relay: DATABASE_URL: use postgres://"},
		{name: "postgres that is not there", args: "device list --database-url=postgres://u:" + testSecret + "@127.0.0.1:1/d", status: cli.ExitFailed, stderr: "relay: open database postgres://u@127.0.0.1:1/d: "},

		{name: "user", stdin: add, args: "user add Ann@example.com --password-stdin", stdout: "added user ann@example.com (id "},
		{name: "user twice", stdin: add, args: "user add bob@example.com --password-stdin", status: cli.ExitFailed, stderr: "there is a user bob@example.com already"},
		{name: "bad email", stdin: add, args: "user add ann --password-stdin", status: cli.ExitFailed, stderr: "relay: email must be an address"},
		{name: "short password", stdin: "short\n", args: "user add ann@b --password-stdin", status: cli.ExitFailed, stderr: "relay: password must have 8 to 1024 bytes"},
		{name: "no terminal", args: "user add ann@b", status: cli.ExitFailed, stderr: "use --password-stdin"},

		{name: "help of remove", args: "user remove --help", stdout: "relay user remove you@example.com --yes"},
		{name: "password", stdin: add, args: "user password bob@example.com --password-stdin", stdout: "changed the password of bob@example.com\n"},
		{name: "password of nobody", stdin: add, args: "user password ann@b --password-stdin", status: cli.ExitFailed, stderr: "add one with `relay user add ann@b`"},
		{name: "too short a password", stdin: "short\n", args: "user password bob@example.com --password-stdin", status: cli.ExitFailed, stderr: "relay: password must have 8 to 1024 bytes"},
		{name: "disable nobody", args: "user disable ann@b", status: cli.ExitFailed, stderr: "there is no user ann@b"},
		{name: "enable nobody", args: "user enable ann@b", status: cli.ExitFailed, stderr: "there is no user ann@b"},
		{name: "remove nobody", args: "user remove ann@b --yes", status: cli.ExitFailed, stderr: "there is no user ann@b"},
		{name: "remove without a terminal", args: "user remove bob@example.com", status: cli.ExitFailed, stderr: "use --yes"},

		{name: "bad id", args: "device add a/b --owner bob@example.com", status: cli.ExitFailed, stderr: "relay: the identifier of a robot has 1 to 64"},
		{name: "unknown owner", args: "device add x --owner ann@b", status: cli.ExitFailed, stderr: "add one with `relay user add ann@b`"},
		{name: "bad relay url", args: "device add x --owner bob@example.com --relay-url http://h", status: cli.ExitFailed, stderr: "relay: --relay-url: is not a ws://"},
		{name: "no port", args: "device add x --owner bob@example.com --port 0", status: cli.ExitFailed, stderr: "say where the robot reaches it with --relay-url"},
		{name: "device twice", args: "device add wimz_1 --owner bob@example.com", status: cli.ExitFailed, stderr: "there is a robot wimz_1 already"},

		{name: "help of transfer", args: "device transfer --help", stdout: "--to-nobody"},
		{name: "help of remove", args: "device remove --help", stdout: "Example:"},
		{name: "help of secret add", args: "device secret add --help", stdout: "device secret drop wimz_abc123"},
		{name: "help of secret drop", args: "device secret drop --help", stdout: "Example:"},
		{name: "transfer of none", args: "device transfer none --to bob@example.com", status: cli.ExitFailed, stderr: "there is no robot \"none\": see `relay device list`"},
		{name: "transfer to none", args: "device transfer wimz_1 --to ann@b", status: cli.ExitFailed, stderr: "add one with `relay user add ann@b`"},
		{name: "remove none", args: "device remove none", status: cli.ExitFailed, stderr: "there is no robot \"none\""},
		{name: "secret for none", args: "device secret add none", status: cli.ExitFailed, stderr: "there is no robot \"none\""},
		{name: "secret, bad url", args: "device secret add wimz_1 --relay-url h", status: cli.ExitFailed, stderr: "relay: --relay-url: is not a ws://"},
		{name: "secret of none", args: "device secret drop none", status: cli.ExitFailed, stderr: "there is no robot \"none\""},

		{name: "token without a secret", args: "token bob@example.com", status: cli.ExitFailed, stderr: "relay: JWT_SECRET: is not set"},
		{name: "token of nobody", args: "token ann@b", environ: []string{"JWT_SECRET=" + testSecret}, status: cli.ExitFailed, stderr: "there is no user ann@b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := shell{t, base.dir, append(tc.environ, base.environ...)}
			status, stdout, stderr := s.run(tc.stdin, strings.Fields(tc.args)...)
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			for _, got := range []struct{ name, text, want string }{{"stdout", stdout, tc.stdout}, {"stderr", stderr, tc.stderr}} {
				if !strings.Contains(got.text, got.want) || (got.want == "") != (got.text == "") {
					t.Errorf("%s is %q, want %q", got.name, got.text, got.want)
				}
				if strings.Contains(got.text, testSecret) {
					t.Errorf("%s shows a secret: %s", got.name, got.text)
				}
			}
		})
	}
}

func TestConfigCheck(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret, "CLOUDFLARE_TURN_KEY_ID=key", "CLOUDFLARE_TURN_API_TOKEN="+testSecret, "ALLOWED_ORIGINS=http://a,http://b")
	got := s.must("", "config", "check", "--port=1234", "--session-grace=90")
	for _, want := range []string{"JWT_SECRET                 ***\n", "API_TOKEN  ***\n", "http://a,http://b\n", "1m30s\n", " 0.0.0.0:1234\n", "\nok\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if strings.Contains(got, testSecret) {
		t.Error("a secret shows")
	}
}

// TestConfigCheckReachesTheDatabase, in vain, and does not show its password.
func TestConfigCheckReachesTheDatabase(t *testing.T) {
	s := newShell(t, "JWT_SECRET="+testSecret)
	url := "postgres://u:" + testSecret + "@127.0.0.1:1/d?sslmode=disable"
	status, stdout, stderr := s.run("", "config", "check", "--database-url="+url)
	if status != cli.ExitFailed || stdout != "" || strings.Contains(stderr, testSecret) ||
		!strings.HasPrefix(stderr, "relay: DATABASE_URL: reach database postgres://u@127.0.0.1:1/d: ") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

func TestConfigCheckReportsEverything(t *testing.T) {
	s := newShell(t, "PORT=high", "TURN_CREDENTIAL_TTL=1s", "CLOUDFLARE_TURN_API_TOKEN="+testSecret)
	status, stdout, stderr := s.run("", "config", "check")
	if status != cli.ExitFailed || stdout != "" || strings.Contains(stderr, testSecret) {
		t.Errorf("status %d, output %q", status, stdout)
	}
	for _, want := range []string{"relay: PORT: ", "relay: JWT_SECRET: ", "relay: TURN_CREDENTIAL_TTL: ", "relay: CLOUDFLARE_TURN_KEY_ID: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in:\n%s", want, stderr)
		}
	}
}

func TestEnvFileIsRead(t *testing.T) {
	s := newShell(t)
	writeFile(t, filepath.Join(s.dir, ".env"), "JWT_SECRET="+testSecret+"\nPORT=4321\n")
	if got := s.must("", "config", "check"); !strings.Contains(got, ":4321\n") {
		t.Errorf("got:\n%s", got)
	}
	writeFile(t, filepath.Join(s.dir, ".env"), "JWT_SECRT="+testSecret+"\n")
	status, _, stderr := s.run("", "config", "check")
	if want := "relay: .env: unknown variable JWT_SECRT; did you mean JWT_SECRET?\n"; status != cli.ExitFailed || stderr != want {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestEndedContextEndsTheCommand(t *testing.T) {
	s := newShell(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var out, problems bytes.Buffer
	status := run(ended, []string{"device", "list"}, s.environ, strings.NewReader(""), &out, &problems)
	if status != cli.ExitFailed || out.Len() != 0 || !strings.Contains(problems.String(), "canceled") {
		t.Errorf("status %d, %q, %q", status, out.String(), problems.String())
	}
}
