package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/wait"
)

// RelayImage is what `make image` builds.
const RelayImage = "wimz/relay:local"

// HasRelayImage reports whether there are an engine and the image.
func HasRelayImage(ctx context.Context) bool { return hasImage(ctx, RelayImage) }

// RelayContainer is a relay as it is delivered, with as few rights as it needs.
type RelayContainer struct {
	Addr string // HOST:PORT
	*testcontainers.DockerContainer
}

// StartRelayContainer runs the image on the host's network, as compose.yaml does,
// and returns when it serves.
func StartRelayContainer(ctx context.Context, jwtSecret string) (*RelayContainer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &RelayContainer{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	c.DockerContainer, err = startContainer(ctx, RelayImage, wait.ForExec([]string{"/relay", "health"}),
		testcontainers.WithEnv(map[string]string{
			"JWT_SECRET": jwtSecret, "HOST": "127.0.0.1", "PORT": strconv.Itoa(port), "ADMIN_LISTEN": "off",
		}),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.NetworkMode, host.ReadonlyRootfs = "host", true
			host.CapDrop, host.SecurityOpt = []string{"ALL"}, []string{"no-new-privileges"}
		}))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Register makes an account.
func (c *RelayContainer) Register(ctx context.Context, u User) error {
	account := map[string]string{"email": u.Email, "password": u.Password}
	return do(ctx, http.MethodPost, "http://"+c.Addr+"/api/auth/register", "", account, nil)
}

// Remove ends the container and forgets its data.
func (c *RelayContainer) Remove() error {
	return c.Terminate(context.Background(), testcontainers.StopTimeout(stopTime))
}

// Restart ends the relay as an operator does and starts it again.
func (c *RelayContainer) Restart(ctx context.Context) error {
	patience := stopTime
	return errors.Join(c.Stop(ctx, &patience), c.Start(ctx))
}

// Do runs a command in the container and returns its status and what it says.
func (c *RelayContainer) Do(ctx context.Context, command ...string) (status int, said string, err error) {
	status, output, err := c.Exec(ctx, command, tcexec.Multiplexed())
	if err != nil {
		return status, "", err
	}
	text, err := io.ReadAll(output)
	return status, strings.TrimSpace(string(text)), err
}

// UIDs returns the users that the container's processes run as on this machine.
func (c *RelayContainer) UIDs(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	table, err := output(exec.CommandContext(ctx, "docker", "top", c.GetContainerID(), "-eo", "pid,uid"))
	if err != nil {
		return nil, err
	}
	var uids []string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] != "PID" {
			uids = append(uids, fields[1])
		}
	}
	return uids, nil
}
