package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/pion/stun/v3"

	"wimz.dev/live/fakecloudflare/turnserver"
)

// TURN is a running TURN server that takes coturn's shared-secret credentials.
type TURN struct {
	Kind   string   // what it is, for the summary
	URLs   []string // RFC 7065
	Secret string
	stop   func() error
	log    func(context.Context) (io.ReadCloser, error) // nil: it goes where the others' goes
}

// CopyLog copies what a server in a container has printed so far, for the
// report of a spec that failed. It is not followed while the container runs:
// that takes goroutines, which come and go and look like leaks.
func (t *TURN) CopyLog(ctx context.Context, to io.Writer) error {
	if t.log == nil {
		return nil
	}
	printed, err := t.log(ctx)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, printed)
	return errors.Join(err, printed.Close())
}

// Stop ends the server.
func (t *TURN) Stop() error {
	if t == nil || t.stop == nil {
		return nil
	}
	return t.stop()
}

// StartTURN starts the most real server there is: coturn in a container, where
// there are an engine and an image (see COTURN below); a coturn process, where
// it is installed; else pion/turn in this process.
//
// E2E_COTURN_IMAGE names an image to take instead of wimz/coturn:local.
func StartTURN(ctx context.Context, log io.Writer) (*TURN, error) {
	t := &TURN{Secret: rand.Text()}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	image := coturnImage(ctx)
	switch binary, missing := exec.LookPath("turnserver"); {
	case image != "":
		err = t.runContainer(ctx, image, port)
	case missing == nil:
		err = t.runProcess(binary, port, log)
	default:
		err = t.runPion(address, log)
	}
	if err != nil {
		return nil, err
	}
	t.URLs = []string{"turn:" + address + "?transport=udp", "turn:" + address + "?transport=tcp"}
	if err := awaitSTUN(ctx, address); err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not answer: %w", t.Kind, err), t.Stop())
	}
	return t, nil
}

// StartPionTURN runs pion/turn, which needs nothing installed.
func StartPionTURN(log io.Writer) (*TURN, error) {
	t := &TURN{Secret: rand.Text()}
	return t, t.runPion("127.0.0.1:0", log)
}

func (t *TURN) runPion(address string, log io.Writer) error {
	server, err := turnserver.Start(turnserver.Config{
		Listen: address, Secret: t.Secret, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		return err
	}
	t.Kind, t.URLs, t.stop = "pion/turn", server.URLs(), server.Close
	return nil
}

// freePort returns a UDP and TCP port that nobody has just now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close() //nolint:errcheck // nothing was written
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no TCP address: %v", listener.Addr())
	}
	return address.Port, nil
}

// awaitSTUN returns when the server answers a binding request (RFC 8489 §3).
func awaitSTUN(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := bind(address)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func bind(address string) error {
	conn, err := net.DialTimeout("udp", address, time.Second)
	if err != nil {
		return err
	}
	client, err := stun.NewClient(conn, stun.WithRTO(200*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // nothing is left to be said
	var refused error
	err = client.Do(stun.MustBuild(stun.TransactionID, stun.BindingRequest), func(e stun.Event) { refused = e.Error })
	if err != nil {
		return err
	}
	return refused
}

// hasImage asks the engine through its own command line, which knows the
// user's contexts.
func hasImage(ctx context.Context, image string) bool {
	return exec.CommandContext(ctx, "docker", "image", "inspect", image).Run() == nil
}

// coturnImage returns the image to run, empty where there is none.
func coturnImage(ctx context.Context) string {
	if image := os.Getenv("E2E_COTURN_IMAGE"); image != "" {
		return image
	}
	const local = "wimz/coturn:local"
	if hasImage(ctx, local) {
		return local
	}
	return ""
}
