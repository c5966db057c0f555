package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// coturnArgs are the settings of a coturn on loopback. It reads no
// configuration file and keeps no state.
func coturnArgs(secret string, port int) []string {
	return []string{
		"-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1",
		fmt.Sprintf("--listening-port=%d", port), "--min-port=49160", "--max-port=49960",
		"--fingerprint", "--use-auth-secret", "--static-auth-secret=" + secret, "--realm=wimz.test",
		"--allow-loopback-peers", "--no-cli", "--no-multicast-peers", "--no-tls", "--no-dtls",
		"--pidfile=/dev/null", "--log-file=stdout", "--simple-log",
	}
}

// runContainer runs coturn from an image, on the host's network: its peers are
// on loopback, like everything here.
func (t *TURN) runContainer(ctx context.Context, image string, port int, log io.Writer) error {
	// The reaper's image cannot be had without a registry; Stop cleans up.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return err
	}
	coturn, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd(coturnArgs(t.Secret, port)...),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.NetworkMode = "host"
		}),
		testcontainers.WithLogConsumers(containerLog{log}),
		testcontainers.WithWaitStrategyAndDeadline(startTime, wait.ForLog("Total General servers")),
	)
	if err != nil {
		return fmt.Errorf("run %s: %w", image, err)
	}
	t.Kind = "coturn in a container (" + image + ")"
	t.stop = func() error {
		return coturn.Terminate(context.WithoutCancel(ctx), testcontainers.StopTimeout(time.Second))
	}
	return nil
}

// containerLog takes a container's output.
type containerLog struct{ to io.Writer }

// Accept implements testcontainers.LogConsumer.
func (l containerLog) Accept(entry testcontainers.Log) { _, _ = l.to.Write(entry.Content) }

// runProcess runs the coturn that is installed.
func (t *TURN) runProcess(binary string, port int, log io.Writer) error {
	command := exec.Command(binary, coturnArgs(t.Secret, port)...)
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
