// Package pgtest runs a PostgreSQL server for tests: the programs of Debian's
// package postgresql, on a socket in a directory of its own, without fsync.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// startTime bounds the making of a cluster and the start of its server, stopTime
	// its end when it is asked to.
	startTime = 30 * time.Second
	stopTime  = 10 * time.Second

	superuser = "wimz"
)

// ErrMissing says that PostgreSQL is not installed.
var ErrMissing = errors.New("PostgreSQL is not installed: run make setup, or install the package postgresql")

// Server is a running server.
type Server struct {
	dir      string
	password string // so that its users handle one
	process  *os.Process
	exited   chan struct{}
}

// Start makes an empty cluster and runs a server on it, or returns [ErrMissing].
// The server writes its log to log until Stop has returned.
func Start(ctx context.Context, log io.Writer) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	programs, err := find()
	if err != nil {
		return nil, err
	}
	owner, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wimz-postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, password: rand.Text(), exited: make(chan struct{})}
	if err = s.initialise(ctx, programs, owner); err == nil {
		err = s.run(ctx, programs, owner, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Create makes an empty database and returns its URL, which has a password.
func (s *Server) Create(ctx context.Context) (string, error) {
	admin, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", err
	}
	name := "test_" + strings.ToLower(rand.Text())
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	return s.url(name), errors.Join(err, admin.Close(ctx))
}

// Password is the one in every URL; no log may show it.
func (s *Server) Password() string { return s.password }

// Stop ends the server and its connections, and removes what it has written.
func (s *Server) Stop() error {
	var err error
	if s.process != nil {
		err = s.end()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *Server) end() error {
	_ = s.process.Signal(syscall.SIGINT) // "fast shutdown"; it may have exited
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTime):
		_ = s.process.Kill()
		<-s.exited
		return fmt.Errorf("the PostgreSQL server did not end within %s", stopTime)
	}
}

func (s *Server) url(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}}.Encode(),
	}).String()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// initialise makes the cluster. The directory becomes the owner's.
func (s *Server) initialise(ctx context.Context, programs string, owner *syscall.Credential) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if owner != nil {
		for _, path := range []string{s.dir, secret} {
			if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
				return err
			}
		}
	}
	command := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), //nolint:gosec // found by ourselves
		"--pgdata", s.data(), "--no-sync",
		"--username", superuser, "--pwfile", secret, "--auth", "password", "--encoding", "UTF8", "--locale", "C.UTF-8")
	command.Dir = s.dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// run starts the server and returns when it answers.
func (s *Server) run(ctx context.Context, programs string, owner *syscall.Credential, log io.Writer) error {
	command := exec.Command(filepath.Join(programs, "postgres"), "-D", s.data(), "-k", s.dir, //nolint:gosec,noctx // found by ourselves; it outlives the start
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off")
	command.Dir = s.dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true} // a Ctrl-C reaches it through us
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return err
	}
	s.process = command.Process
	go func() {
		_ = command.Wait() // its log says why
		close(s.exited)
	}()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-look.C:
		case <-s.exited:
			return errors.New("the PostgreSQL server ended at once, see its log")
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL server was not ready in time: %w", err)
		}
	}
}

// find returns the folder with the programs of the newest version that is there.
func find() (string, error) {
	paths, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	newest, folder := 0, ""
	for _, path := range paths {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, folder = version, bin
		}
	}
	if folder == "" {
		return "", ErrMissing
	}
	return folder, nil
}

// account returns whom the server runs as: PostgreSQL refuses to be root. Anybody
// else runs it as themselves, which is nil.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // as SysProcAttr has it
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
