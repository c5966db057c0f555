package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot"
)

// Peer is a party that speaks the wire by hand: an app or a robot that does
// only what a spec tells it to.
type Peer struct {
	client *client.Client
	inbox  chan wire.Message
	// Down receives the cause when the connection is lost.
	Down <-chan error
	// Close disconnects and waits. Further calls return the same.
	Close func() error
}

// errInbox is a bug of a spec: it does not read what it is sent.
var errInbox = errors.New("the peer's inbox is full")

// RawApp connects an app that does nothing by itself.
func (s *System) RawApp(ctx context.Context, user User) (*Peer, error) {
	return s.connect(ctx, client.App(func() string { return user.Token }))
}

// RawRobot connects as the robot that the configuration is for.
func (s *System) RawRobot(ctx context.Context, id wire.DeviceID, configFile string) (*Peer, error) {
	secret, err := DeviceSecret(configFile)
	if err != nil {
		return nil, err
	}
	return s.connect(ctx, client.Device(id, secret))
}

// DeviceSecret reads the secret out of a robot's configuration.
func DeviceSecret(configFile string) (string, error) {
	cfg, err := robot.LoadConfig(configFile)
	return string(cfg.Cloud.DeviceSecret), err
}

func (s *System) connect(ctx context.Context, as client.Identity) (*Peer, error) {
	up := make(chan struct{})
	down := make(chan error, 1)
	p := &Peer{inbox: make(chan wire.Message, 256), Down: down}
	var err error
	p.client, err = client.New(client.Config{
		URL: s.RelayURL(), Identity: as, Log: slog.New(slog.DiscardHandler),
		OnUp: sync.OnceFunc(func() { close(up) }),
		OnDown: func(cause error) {
			select {
			case down <- cause:
			default:
			}
		},
		OnMessage: func(m wire.Message) {
			select {
			case p.inbox <- m:
			default:
				panic(errInbox)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- p.client.Run(life) }()
	p.Close = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	select {
	case <-up:
		return p, nil
	case err = <-down:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, p.Close())
}

// Send sends a message.
func (p *Peer) Send(m wire.Message) error { return p.client.Send(m) }

// Next returns the next message of a type. What comes before it is dropped.
func (p *Peer) Next(ctx context.Context, t wire.Type) (wire.Message, error) {
	for {
		select {
		case m := <-p.inbox:
			if m.Type == t {
				return m, nil
			}
		case <-ctx.Done():
			return wire.Message{}, fmt.Errorf("no %s came: %w", t, context.Cause(ctx))
		}
	}
}

// Heard returns what has come and was not taken yet.
func (p *Peer) Heard() []wire.Message {
	var all []wire.Message
	for len(p.inbox) > 0 {
		all = append(all, <-p.inbox)
	}
	return all
}

// Barrier returns when everything sent to the relay before has been handled:
// it asks for a status and awaits the answer. It returns what came before,
// news of robots' presence left out.
func (p *Peer) Barrier(ctx context.Context) ([]wire.Message, error) {
	if err := p.Send(wire.Message{Type: wire.TypeGetStatus, DeviceID: "barrier"}); err != nil {
		return nil, err
	}
	var before []wire.Message
	for {
		select {
		case m := <-p.inbox:
			if m.Type == wire.TypeStatus {
				return before, nil
			}
			if m.Type != wire.TypeRobotStatus { // news that may come at any time
				before = append(before, m)
			}
		case <-ctx.Done():
			return before, context.Cause(ctx)
		}
	}
}
