// Package robot is the robot: it stays connected to the relay, answers a
// webrtc_request with an offer, and sends its camera's video to at most two
// viewers at once. The relay carries the signaling; media goes peer to peer.
//
// [New] checks and binds, [Robot.Run] works until its context ends.
package robot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/stream"
)

// Config is a robot's configuration: see its fields, and testdata/config.
type Config = config.Config

// Secret is the type of Config.Cloud.DeviceSecret; it prints three stars.
type Secret = config.Secret

// Duration is the type of Config.Cloud.ReconnectDelay.
type Duration = config.Duration

// LoadConfig reads and checks the YAML file at path, with ${NAME} replaced from
// the environment.
func LoadConfig(path string) (Config, error) { return config.Load(path) }

// DefaultConfig is what a key that is left out stands for.
func DefaultConfig() Config { return config.Default() }

// Robot is one robot. Its methods may be called from any goroutine.
type Robot struct {
	cfg      Config
	log      *slog.Logger
	stream   *stream.Stream
	relay    relay
	listener net.Listener

	online      atomic.Bool
	moved       atomic.Bool  // to another network since the relay was there
	connections atomic.Int64 // sessions whose resources are not free yet

	life    context.Context //nolint:containedctx // the life of the sessions
	end     context.CancelFunc
	running sync.WaitGroup // sessions

	mu       sync.Mutex
	ending   bool // no new sessions
	sessions map[wire.SessionID]*session
}

// relay is the robot's side of the relay's socket: a [client.Client].
type relay interface {
	Run(ctx context.Context) error
	Send(m wire.Message) error
}

// New returns a robot that listens for status requests and has done nothing
// else yet. Its Run must be called, it frees the listener.
func New(cfg Config, log *slog.Logger) (*Robot, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	source, err := camera.New(cfg.Camera.Source)
	if err != nil {
		return nil, err
	}
	video := cfg.WebRTC.Video
	r := &Robot{
		cfg: cfg, log: log, sessions: map[wire.SessionID]*session{},
		stream: stream.New(source, stream.Settings{
			Format:      camera.Format{Width: video.Width, Height: video.Height, FPS: video.FPS},
			BitrateKbps: video.BitrateKbps,
		}, log),
	}
	r.life, r.end = context.WithCancel(context.Background())
	if r.relay, err = r.newRelay(); err != nil {
		r.end()
		return nil, err
	}
	if r.listener, err = (&net.ListenConfig{}).Listen(r.life, "tcp", cfg.Status.Listen); err != nil {
		r.end()
		return nil, fmt.Errorf("listen for status requests: %w", err)
	}
	return r, nil
}

func (r *Robot) newRelay() (relay, error) {
	cloud := r.cfg.Cloud
	if !cloud.Enabled {
		return noRelay{}, nil
	}
	return client.New(client.Config{
		URL:       cloud.RelayURL,
		Identity:  client.Device(cloud.DeviceID, string(cloud.DeviceSecret)),
		OnUp:      r.connected,
		OnMessage: r.message,
		OnDown:    r.disconnected,
		Delay:     time.Duration(cloud.ReconnectDelay),
		Log:       r.log,
	})
}

// Addr returns the address of the status server.
func (r *Robot) Addr() net.Addr { return r.listener.Addr() }

// Run serves until ctx ends, and returns nil then: viewers have been told, and
// every goroutine has ended. A lost relay is no error; Run connects again.
func (r *Robot) Run(ctx context.Context) error {
	// The relay's socket outlives the sessions, which say goodbye over it.
	relayCtx, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRelay()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return r.serveStatus(ctx) })
	work.Go(func() error { return r.relay.Run(relayCtx) })
	work.Go(func() error {
		r.beat(ctx)
		r.endSessions()
		r.stream.Close()
		stopRelay()
		return nil
	})
	return work.Wait()
}

// beat reports the sessions regularly until ctx ends.
func (r *Robot) beat(ctx context.Context) {
	ticker := time.NewTicker(wire.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.report(wire.TypeHeartbeat)
		case <-ctx.Done():
			return
		}
	}
}

// send is for messages whose loss harms nobody.
func (r *Robot) send(m wire.Message) {
	if err := r.relay.Send(m); err != nil && !errors.Is(err, client.ErrOffline) {
		r.log.Warn("message not sent", "type", m.Type, "error", err)
	}
}

// noRelay stands for the cloud that is switched off.
type noRelay struct{}

func (noRelay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (noRelay) Send(wire.Message) error { return client.ErrOffline }
