package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// coturnArgs are the settings of a coturn on one address, and more. It reads no
// configuration file and keeps no state.
func coturnArgs(secret, ip string, port int, more ...string) []string {
	return append([]string{
		"-n", "--listening-ip=" + ip, "--relay-ip=" + ip,
		fmt.Sprintf("--listening-port=%d", port), "--min-port=49160", "--max-port=49960",
		"--fingerprint", "--use-auth-secret", "--static-auth-secret=" + secret, "--realm=wimz.test",
		"--no-cli", "--no-multicast-peers", "--no-dtls",
		"--pidfile=/dev/null", "--log-file=stdout", "--simple-log",
	}, more...)
}

// loopbackArgs are the settings of a coturn whose peers are on this machine.
func loopbackArgs(secret string, port int) []string {
	return coturnArgs(secret, "127.0.0.1", port, "--allow-loopback-peers", "--no-tls")
}

// runContainer runs coturn from an image, on the host's network: its peers are
// on loopback, like everything here.
func (t *TURN) runContainer(ctx context.Context, image string, port int) error {
	_, err := t.contain(ctx, image,
		testcontainers.WithCmd(loopbackArgs(t.Secret, port)...),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.NetworkMode = "host"
		}))
	return err
}

// contain runs coturn from an image.
func (t *TURN) contain(
	ctx context.Context, image string, options ...testcontainers.ContainerCustomizer,
) (*testcontainers.DockerContainer, error) {
	coturn, err := startContainer(ctx, image, wait.ForLog("Total General servers"), options...)
	if err != nil {
		return nil, err
	}
	t.Kind = "coturn in a container (" + image + ")"
	t.log = coturn.Logs
	life := context.WithoutCancel(ctx)
	t.stop = func() error { return coturn.Terminate(life, testcontainers.StopTimeout(time.Second)) }
	return coturn, nil
}

// startContainer runs a container until it is ready.
func startContainer(
	ctx context.Context, image string, ready wait.Strategy, options ...testcontainers.ContainerCustomizer,
) (*testcontainers.DockerContainer, error) {
	// The reaper's image cannot be had without a registry; removeOrphans cleans up.
	if err := errors.Join(os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"), removeOrphans(ctx)); err != nil {
		return nil, err
	}
	c, err := testcontainers.Run(context.WithoutCancel(ctx), image, append(options,
		testcontainers.WithLabels(map[string]string{ownerLabel: strconv.Itoa(os.Getpid())}),
		testcontainers.WithWaitStrategyAndDeadline(startTime, ready),
	)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("run %s: %w", image, err), testcontainers.TerminateContainer(c))
	}
	return c, nil
}

// ownerLabel is the label of a container with the process that started it.
const ownerLabel = "wimz.dev.owner"

// removeOrphans removes the containers of runs that were killed.
func removeOrphans(ctx context.Context) error {
	list, err := output(exec.CommandContext(ctx, "docker", "ps", "--all",
		"--filter", "label="+ownerLabel, "--format", `{{.ID}} {{.Label "`+ownerLabel+`"}}`))
	if err != nil {
		return err
	}
	for line := range strings.Lines(list) {
		id, owner, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, err = os.Stat("/proc/" + owner); errors.Is(err, os.ErrNotExist) {
			if err = execute(ctx, "docker", "rm", "--force", "--volumes", id); err != nil {
				return err
			}
		}
	}
	return nil
}

// runProcess runs the coturn that is installed.
func (t *TURN) runProcess(binary string, port int, log io.Writer) error {
	return t.spawn(exec.Command(binary, loopbackArgs(t.Secret, port)...), log)
}

func (t *TURN) spawn(command *exec.Cmd, log io.Writer) error {
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait() // coturn reports its own end by signal
		close(exited)
	}()
	t.Kind = "a coturn process"
	t.stop = func() error { return terminate(command.Process, exited, "coturn") }
	return nil
}
