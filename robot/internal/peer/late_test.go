package peer

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/stream"
)

// TestLateFramesDoNotDrive: a motor frame that comes when a session is closed, and
// one that comes when it has ended, moves nothing. Each is kept off by itself.
func TestLateFramesDoNotDrive(t *testing.T) {
	frame := []byte(`{"command":"motor","left":0.5,"right":-0.5}`)
	for name, late := range map[string]func(p *Peer){
		"closed": func(p *Peer) {
			p.Close()
			p.hear(frame)
		},
		"ended": func(p *Peer) {
			_ = p.Run(t.Context()) // it cannot even offer
			p.driver.Drive(control.Speed{Left: 0.5, Right: -0.5})
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "control.sock")
			ctx, stop := context.WithCancel(t.Context())
			software, err := control.Listen(ctx, path, nil, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() { defer close(served); software.Serve(ctx) }()
			defer func() { stop(); <-served }()
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() //nolint:errcheck // a test's
			lines := bufio.NewScanner(conn)
			lines.Scan() // the stop at the beginning: the software is known

			wheel := control.NewWheel(software)
			p := New(Config{
				Stream: newDarkStream(t), Wheel: wheel, Log: slog.New(slog.DiscardHandler),
				NewAPI:  func(context.Context) (*webrtc.API, error) { return nil, errors.New("as planted") },
				Send:    func(wire.Message) error { return nil },
				OnState: func(State, encode.Codec) {},
			})
			late(p)
			p.end(errClosed)
			// Nobody has the wheel: who takes it then drives at once, and no stop is first.
			wheel.Driver(control.FromRelay, func(control.Ack) {}).Drive(control.Speed{Left: 1, Right: 1})
			if lines.Scan(); !strings.Contains(lines.Text(), `"from":"relay"`) {
				t.Errorf("the software reads %s", lines.Text())
			}
			wheel.Close()
		})
	}
}

// newDarkStream is one that nobody watches.
func newDarkStream(t *testing.T) *stream.Stream {
	t.Helper()
	s := stream.New(camera.FromDriver(&camera.Synthetic{}), stream.Settings{
		Format: camera.Format{Width: 320, Height: 192, FPS: 30}, BitrateKbps: 300,
	}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	return s
}
