package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
)

const (
	stunPort = 3478 // of STUN and TURN over UDP and TCP
	tlsPort  = 443  // of TURN over TLS: the port that no firewall closes
)

// Coturn is a TURN server that is alone in a network namespace.
type Coturn struct {
	*TURN
	Netns Netns
	// CertFile is the certificate that clients have to trust.
	CertFile string

	ip  string
	dir string
}

// StartCoturn starts coturn for UDP and TCP on port 3478 and TLS on port 443 of
// an address, in a new namespace of that name. The caller gives the namespace a
// cable and the address, and then calls [Coturn.Await].
//
// It is a container or a process, by what there is; see [StartTURN].
func StartCoturn(ctx context.Context, name, ip string, log io.Writer) (*Coturn, error) {
	c := &Coturn{TURN: &TURN{Secret: rand.Text()}, ip: ip}
	address := func(port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }
	c.URLs = []string{
		"turn:" + address(stunPort) + "?transport=udp",
		"turn:" + address(stunPort) + "?transport=tcp",
		"turns:" + address(tlsPort) + "?transport=tcp",
	}
	var err error
	if c.dir, err = os.MkdirTemp("", "wimz-coturn"); err != nil {
		return nil, err
	}
	c.CertFile = filepath.Join(c.dir, "cert.pem")
	err = writeCertificate(ip, c.CertFile, c.keyFile())
	if err == nil {
		if image := coturnImage(ctx); image != "" {
			err = c.inContainer(ctx, name, image)
		} else {
			err = c.asProcess(ctx, name, log)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop(ctx))
	}
	return c, nil
}

// Await returns when it answers a binding request from this process.
func (c *Coturn) Await(ctx context.Context) error {
	return awaitSTUN(ctx, net.JoinHostPort(c.ip, strconv.Itoa(stunPort)))
}

// Stop ends it and removes its namespace.
func (c *Coturn) Stop(ctx context.Context) error {
	err := errors.Join(c.TURN.Stop(), os.RemoveAll(c.dir))
	if c.Netns != "" {
		err = errors.Join(err, c.Netns.Delete(ctx))
	}
	return err
}

func (c *Coturn) keyFile() string { return filepath.Join(c.dir, "key.pem") }

func (c *Coturn) args(certFile, keyFile string) []string {
	return coturnArgs(c.Secret, c.ip, stunPort,
		fmt.Sprintf("--tls-listening-port=%d", tlsPort), "--cert="+certFile, "--pkey="+keyFile, "--verbose")
}

// inContainer runs a container without a network and names the namespace it
// has anyway. coturn binds its address before that is there.
func (c *Coturn) inContainer(ctx context.Context, name, image string) error {
	const certFile, keyFile = "/cert.pem", "/key.pem"
	coturn, err := c.contain(ctx, image,
		testcontainers.WithCmd(c.args(certFile, keyFile)...),
		testcontainers.WithFiles(
			testcontainers.ContainerFile{HostFilePath: c.CertFile, ContainerFilePath: certFile, FileMode: 0o644},
			testcontainers.ContainerFile{HostFilePath: c.keyFile(), ContainerFilePath: keyFile, FileMode: 0o644},
		),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.NetworkMode = "none"
			host.Sysctls = map[string]string{"net.ipv4.ip_nonlocal_bind": "1"}
		}))
	if err != nil {
		return err
	}
	state, err := coturn.State(ctx)
	if err == nil {
		c.Netns, err = AttachNetns(ctx, name, state.Pid)
	}
	return err
}

func (c *Coturn) asProcess(ctx context.Context, name string, log io.Writer) error {
	binary, err := exec.LookPath("turnserver")
	if err != nil {
		return fmt.Errorf("coturn is missing, run make setup: %w", err)
	}
	if c.Netns, err = NewNetns(ctx, name); err != nil {
		return err
	}
	if err = c.Netns.Sysctl("net/ipv4/ip_nonlocal_bind", "1"); err != nil {
		return err
	}
	line := append(c.Netns.Prefix(), binary)
	line = append(line, c.args(c.CertFile, c.keyFile())...)
	return c.spawn(exec.Command(line[0], line[1:]...), log)
}
