// Package robot is the robot: it stays connected to the relay, answers a
// webrtc_request with an offer, and sends its camera's video to at most two
// viewers at once. The relay carries the signaling; media goes peer to peer.
//
// [New] checks and binds, [Robot.Run] works until its context ends.
package robot

import (
	"context"
	"encoding/json"
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
	"wimz.dev/live/robot/internal/cmemory"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/detect"
	"wimz.dev/live/robot/internal/figures"
	"wimz.dev/live/robot/internal/overlay"
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

// LoadVideoConfig is [LoadConfig] for who needs no relay: the cloud may be missing.
func LoadVideoConfig(path string) (Config, error) { return config.LoadVideo(path) }

// DefaultConfig is what a key that is left out stands for.
func DefaultConfig() Config { return config.Default() }

// Robot is one robot. Its methods may be called from any goroutine.
type Robot struct {
	cfg      Config
	log      *slog.Logger
	board    *detect.Board
	camera   camera.Source
	stream   *stream.Stream
	software *control.Software
	wheel    *control.Wheel
	apps     *control.Driver // all that drive through the relay
	relay    Relay
	listener net.Listener

	counters    figures.Counters
	dropped     []atomic.Uint64 // pictures for the viewer in each place
	online      atomic.Bool
	moved       atomic.Bool        // to another network since the relay was there
	connections atomic.Int64       // sessions whose resources are not free yet
	pulse       chan chan struct{} // closed by the main loop

	life    context.Context //nolint:containedctx // the life of the sessions
	end     context.CancelFunc
	running sync.WaitGroup // sessions

	mu       sync.Mutex
	ending   bool // no new sessions
	sessions map[wire.SessionID]*session
	// cameraNews is what apps were last told of the camera, nil before the first.
	cameraNews *wire.Message
}

// Relay is the robot's side of the relay's socket: a [client.Client].
type Relay interface {
	Run(ctx context.Context) error
	Send(m wire.Message) error
}

// Parts are for who looks at a whole robot from within. The zero value is the
// robot as it is.
type Parts struct {
	// Dial makes the way to the relay; nil stands for [client.New].
	Dial func(client.Config) (Relay, error)
	// Camera is given the configured camera and returns the one that is used.
	Camera func(camera.Source) camera.Source
}

// New returns a robot that listens for status requests and has done nothing
// else yet. Its Run must be called, it frees the listener.
func New(cfg Config, log *slog.Logger) (*Robot, error) { return NewWith(cfg, Parts{}, log) }

// NewWith is [New] with other parts.
func NewWith(cfg Config, parts Parts, log *slog.Logger) (*Robot, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	board := &detect.Board{}
	source, err := camera.New(cfg.Camera, board, log)
	if err != nil {
		return nil, err
	}
	r := &Robot{
		cfg: cfg, log: log, board: board, camera: source,
		dropped:  make([]atomic.Uint64, cfg.WebRTC.MaxConnections),
		sessions: map[wire.SessionID]*session{}, pulse: make(chan chan struct{}),
	}
	if parts.Camera != nil {
		source = parts.Camera(source)
	}
	cmemory.KeepTogether()
	r.stream = stream.New(source, stream.Settings{
		Format:      camera.FormatOf(cfg.WebRTC.Video),
		BitrateKbps: cfg.WebRTC.Video.BitrateKbps,
		Counters:    &r.counters,
		Painter:     overlay.New(cfg.Overlay, board),
		Linger:      time.Duration(cfg.WebRTC.Linger),
		OnCamera:    r.cameraIs,
	}, log)
	r.life, r.end = context.WithCancel(context.Background())
	if r.relay, err = r.newRelay(parts.Dial); err != nil {
		r.end()
		return nil, err
	}
	if r.listener, err = (&net.ListenConfig{}).Listen(r.life, "tcp", cfg.Status.Listen); err != nil {
		r.end()
		return nil, fmt.Errorf("listen for status requests: %w", err)
	}
	event := func(m wire.Message) error { return r.relay.Send(m) }
	if r.software, err = control.Listen(r.life, cfg.Control.Socket, event, log); err != nil {
		r.end()
		return nil, errors.Join(err, r.listener.Close())
	}
	r.wheel = control.NewWheel(r.software)
	r.apps = r.wheel.Driver(control.FromRelay, func(a control.Ack) { r.send(a.Message()) })
	return r, nil
}

func (r *Robot) newRelay(dial func(client.Config) (Relay, error)) (Relay, error) {
	cloud := r.cfg.Cloud
	if !cloud.Enabled {
		return noRelay{}, nil
	}
	if dial == nil {
		dial = func(c client.Config) (Relay, error) { return client.New(c) }
	}
	return dial(client.Config{
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
	softwareCtx, stopSoftware := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSoftware()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return r.serveStatus(ctx) })
	work.Go(func() error { return camera.Serve(ctx, r.camera, camera.FormatOf(r.cfg.WebRTC.Video)) })
	work.Go(func() error { return r.relay.Run(relayCtx) })
	work.Go(func() error { r.software.Serve(softwareCtx); return nil })
	if path := r.cfg.Overlay.Detections; path != "" {
		work.Go(func() error { return detect.Serve(ctx, path, r.board, r.log) })
	}
	work.Go(func() error {
		r.beat(ctx)
		r.wheel.Close() // the first thing: nobody drives a robot that ends
		stopSoftware()
		r.endSessions()
		r.stream.Close()
		stopRelay()
		return nil
	})
	return work.Wait()
}

// beat is the main loop: it reports the sessions regularly until ctx ends, and says
// that it lives.
func (r *Robot) beat(ctx context.Context) {
	ticker := time.NewTicker(wire.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.report(wire.TypeHeartbeat)
		case turned := <-r.pulse:
			close(turned)
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

// cameraIs tells the apps that the camera's state has changed. They may miss it, so
// they are told again when the relay is back: under the lock, which sending only
// queues in, so that the newest is told last.
func (r *Robot) cameraIs(status stream.CameraStatus) {
	fields, _ := json.Marshal(status) //nolint:errchkjson // two strings
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cameraNews = &wire.Message{Type: "camera_status_changed", Fields: fields[1 : len(fields)-1]}
	r.send(*r.cameraNews)
}

// noRelay stands for the cloud that is switched off.
type noRelay struct{}

func (noRelay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (noRelay) Send(wire.Message) error { return client.ErrOffline }
