// Package load puts a relay under load with apps and robots that only signal:
// what they send each other are the messages of the contract, with nothing in
// them. It measures what the relay makes of it.
package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

const (
	// dialsAtOnce bounds how many connections are being made at the same time.
	dialsAtOnce = 50
	// connectTime bounds the first part: until everybody is connected.
	connectTime = 2 * time.Minute
)

// Config says how much load, and on which relay.
type Config struct {
	RelayURL string // ws, wss, http or https, host and port
	Robots   []Robot
	Token    string // of the robots' owner
	Apps     int
	For      time.Duration // after everybody is connected
	Log      *slog.Logger
}

// Run connects all robots and apps, lets the apps have sessions with the robots one
// after the other until the time is over or ctx ends, and reports. The error says
// why nobody could be connected; what goes wrong later is counted.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if len(cfg.Robots) == 0 || cfg.Apps < 1 {
		return Report{}, errors.New("there must be a robot and an app at least")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &figures{errors: map[string]int{}}
	var ends []*end
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, r := range cfg.Robots {
		e, err := newRobot(cfg, r, f)
		if err != nil {
			return Report{}, err
		}
		ends = append(ends, e)
	}
	apps := make([]*app, cfg.Apps)
	for i := range apps {
		a, err := newApp(cfg, f)
		if err != nil {
			return Report{}, err
		}
		apps[i] = a
		ends = append(ends, a.end)
	}
	if err := connect(ctx, ends, &running, f); err != nil {
		return Report{}, err
	}

	ctx, over := context.WithTimeout(ctx, cfg.For)
	defer over()
	f.start()
	began := time.Now()
	var cycling sync.WaitGroup
	for i, a := range apps {
		cycling.Go(func() { a.cycles(ctx, i, cfg.Robots) })
	}
	cycling.Wait()
	return f.report(len(cfg.Robots), cfg.Apps, time.Since(began)), nil
}

// connect starts all ends, so many at a time, and returns when they are up.
func connect(ctx context.Context, ends []*end, running *sync.WaitGroup, f *figures) error {
	patient, cancel := context.WithTimeoutCause(ctx, connectTime, errors.New("not everybody was connected in time"))
	defer cancel()
	began := time.Now()
	slots := make(chan struct{}, dialsAtOnce)
	var dialing sync.WaitGroup
	faults := make(chan error, len(ends))
	for _, e := range ends {
		slots <- struct{}{}
		dialing.Go(func() {
			defer func() { <-slots }()
			started := time.Now()
			running.Go(func() { _ = e.client.Run(ctx) }) // OnDown has the cause
			select {
			case <-e.up:
				f.connected(time.Since(started))
			case err := <-e.failed:
				faults <- fmt.Errorf("connect: %w", err)
				cancel()
			case <-patient.Done():
				faults <- context.Cause(patient)
			}
		})
	}
	dialing.Wait()
	f.connecting = time.Since(began)
	select {
	case err := <-faults:
		return err
	default:
		return nil
	}
}

// end is one connection.
type end struct {
	client *client.Client
	up     chan struct{} // has an entry when it is connected first
	failed chan error    // has one if the relay refuses it, or when it is lost
}

func newEnd(cfg Config, as client.Identity, f *figures, onMessage func(*end, wire.Message)) (*end, error) {
	e := &end{up: make(chan struct{}, 1), failed: make(chan error, 1)}
	var err error
	e.client, err = client.New(client.Config{
		URL: cfg.RelayURL, Identity: as, Log: cfg.Log,
		OnUp: func() {
			select {
			case e.up <- struct{}{}:
			default:
			}
		},
		OnDown: func(err error) {
			f.lost()
			select {
			case e.failed <- err:
			default:
			}
		},
		OnMessage: func(m wire.Message) {
			f.message()
			onMessage(e, m)
		},
	})
	return e, err
}

// newRobot offers when it is asked, and answers each candidate with one.
func newRobot(cfg Config, r Robot, f *figures) (*end, error) {
	return newEnd(cfg, client.Device(r.ID, r.Secret), f, func(e *end, m wire.Message) {
		answer := wire.Message{SessionID: m.SessionID}
		switch m.Type {
		case wire.TypeRequest:
			answer.Type, answer.SDP = wire.TypeOffer, &wire.SessionDescription{Type: "offer", SDP: sdp}
		case wire.TypeICE:
			answer.Type, answer.Candidate = wire.TypeICE, m.Candidate
		default:
			return
		}
		_ = e.client.Send(answer) // a robot that is offline is missed by the app
	})
}

// sdp stands for a session description: nobody here reads it.
const sdp = "v=0\r\n"
