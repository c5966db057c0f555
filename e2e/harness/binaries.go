package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime bounds the start of a program, stopTime its end after SIGTERM.
const (
	startTime = 15 * time.Second
	stopTime  = 15 * time.Second
)

// Binaries runs the shipped binaries found in Dir.
type Binaries struct {
	Dir string
	// Prefix is put before every command line; see [Netns.Prefix].
	Prefix []string
	// Env is added to this process's environment, as NAME=VALUE.
	Env []string
}

func (Binaries) String() string { return "binaries" }

// Check says what to do when a binary is missing.
func (b Binaries) Check() error {
	for _, name := range []string{"relay", "robot", "fakecloudflare", "simapp"} {
		if _, err := os.Stat(b.path(name)); err != nil {
			return fmt.Errorf("%s is missing: run make build first", b.path(name))
		}
	}
	return nil
}

func (b Binaries) path(name string) string { return filepath.Join(b.Dir, name) }

// Command returns the command that runs a program where it is to run.
func (b Binaries) Command(name string, args ...string) *exec.Cmd {
	line := slices.Concat(b.Prefix, []string{b.path(name)}, args)
	command := exec.Command(line[0], line[1:]...)
	command.Env = slices.Concat(os.Environ(), b.Env)
	// Its own group, so that a Ctrl-C in a terminal reaches it through us.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// Relay implements [Backend].
func (b Binaries) Relay(ctx context.Context, s RelaySettings, log io.Writer) (*Program, error) {
	env := s.database()
	env = append(env,
		"TURN_REQUIRED="+strconv.FormatBool(s.TURNRequired),
		"SESSION_GRACE="+s.Grace.String(), "TURN_CREDENTIAL_TTL="+s.TTL.String(), "TURN_REVOKE_LINGER="+s.Linger.String(),
		"LOG_LEVEL="+s.LogLevel.String())
	if s.Closed {
		env = append(env, "REGISTRATION=closed")
	}
	if s.CloudflareURL != "" {
		env = append(env, "CLOUDFLARE_TURN_BASE_URL="+s.CloudflareURL,
			"CLOUDFLARE_TURN_KEY_ID="+keyID, "CLOUDFLARE_TURN_API_TOKEN="+apiToken)
	}
	if s.NoLimits {
		env = append(env, "LIMITS=off")
	}
	if s.RequestTime > 0 {
		env = append(env, "LIMIT_HEADER_TIME="+s.RequestTime.String(), "LIMIT_REQUEST_TIME="+s.RequestTime.String())
	}
	return b.start(ctx, log, env, "relay", "serve", "--listen", s.Listen,
		"--admin-listen", "127.0.0.1:0", "--admin-ready-file", adminReady)
}

// adminReady is the name of the file in a program's folder in which a relay says
// where its admin listener is.
const adminReady = "admin"

// database is what every command of the relay needs to know.
func (s RelaySettings) database() []string {
	return []string{"DATABASE_URL=" + s.DatabaseURL, "JWT_SECRET=" + s.JWTSecret}
}

// Robot implements [Backend].
func (b Binaries) Robot(ctx context.Context, s RobotSettings, log io.Writer) (*Program, error) {
	return b.start(ctx, log, nil, "robot", "run",
		"--config", s.ConfigFile, "--listen", "127.0.0.1:0", "--log-level", strings.ToLower(s.LogLevel.String()))
}

// Cloudflare implements [Backend].
func (b Binaries) Cloudflare(ctx context.Context, s CloudflareSettings, log io.Writer) (*Program, error) {
	args := []string{"--key-id", keyID, "--listen", "127.0.0.1:0"}
	if s.OwnTURN {
		args = append(args, "--turn-listen", "127.0.0.1:0")
	}
	for _, url := range s.fake().ICEURLs {
		args = append(args, "--ice-url", url)
	}
	env := []string{"FAKECLOUDFLARE_API_TOKEN=" + apiToken, "FAKECLOUDFLARE_TURN_SECRET=" + s.TURN.Secret}
	return b.start(ctx, log, env, "fakecloudflare", args...)
}

// Viewer runs the manual viewer against a relay. token, if any, logs it in.
func (b Binaries) Viewer(ctx context.Context, listen, relayURL, token string, log io.Writer) (*Program, error) {
	var env []string
	if token != "" {
		env = []string{"SIMAPP_DEMO_TOKEN=" + token}
	}
	return b.start(ctx, log, env, "simapp", "serve", "--relay", relayURL, "--listen", listen)
}

// start runs a program until it has written its address into its ready file.
func (b Binaries) start(ctx context.Context, log io.Writer, env []string, name string, args ...string) (*Program, error) {
	dir, err := os.MkdirTemp("", "wimz-"+name)
	if err != nil {
		return nil, err
	}
	ready := filepath.Join(dir, "ready")
	command := b.Command(name, append(args, "--ready-file", ready)...)
	command.Env = append(command.Env, env...)
	command.Dir = dir // no .env file but ours
	command.Stdout, command.Stderr = log, log
	if err = command.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	exited := make(chan struct{})
	var cause error
	go func() {
		cause = command.Wait()
		close(exited)
	}()
	p := &Program{ended: exited, process: command.Process, stop: func() error {
		return errors.Join(terminate(command.Process, exited, name), os.RemoveAll(dir), wrap(name, &cause))
	}, kill: func() error {
		_ = command.Process.Kill() // it may have exited
		<-exited
		return os.RemoveAll(dir)
	}}
	if p.Addr, err = awaitFile(ctx, ready, exited); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), p.Stop())
	}
	if admin, err := os.ReadFile(filepath.Join(dir, adminReady)); err == nil {
		p.Admin = string(admin)
	}
	return p, nil
}

// wrap reads the cause when the program has exited.
func wrap(name string, cause *error) error {
	if *cause != nil {
		return fmt.Errorf("%s: %w", name, *cause)
	}
	return nil
}

// terminate ends a process with SIGTERM, or by force when it does not listen.
func terminate(process *os.Process, exited <-chan struct{}, name string) error {
	_ = process.Signal(syscall.SIGTERM) // it may have exited
	select {
	case <-exited:
		return nil
	case <-time.After(stopTime):
		_ = process.Kill()
		<-exited
		return fmt.Errorf("%s did not end within %s of SIGTERM", name, stopTime)
	}
}

// awaitFile returns what is written into a file.
func awaitFile(ctx context.Context, path string, exited <-chan struct{}) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(text)), nil
		}
		select {
		case <-look.C:
		case <-exited:
			return "", errors.New("it ended at once, see its output")
		case <-ctx.Done():
			return "", errors.New("it was not ready in time, see its output")
		}
	}
}
