// Package load puts a relay under load with apps and robots that only signal:
// what they send each other are the messages of the contract, with nothing in
// them. It measures what the relay makes of it, and leaves no session behind.
package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

const (
	// dialsAtOnce bounds how many connections are being made at the same time.
	dialsAtOnce = 50
	// connectTime bounds the first part: until everybody is connected.
	connectTime = 2 * time.Minute
	// maxEnds bounds how many robots and apps there are together, maxTime how long
	// they have sessions.
	maxEnds = 10_000
	maxTime = time.Hour
)

// Config says how much load, and on which relay.
type Config struct {
	RelayURL string // ws, wss, http or https, host and port
	Robots   []Robot
	Token    string // of the robots' owner
	Apps     int
	For      time.Duration // after everybody is connected
	// Rate bounds how many sessions all apps together begin in a second; 0: as many as
	// the relay bears.
	Rate float64
	// Progress is called once a second, from one goroutine, while it goes on. It may
	// be nil.
	Progress func(Progress)
	Log      *slog.Logger
}

func (c Config) check() error {
	switch n := len(c.Robots) + c.Apps; {
	case len(c.Robots) == 0 || c.Apps < 1:
		return errors.New("there must be a robot and an app at least")
	case n > maxEnds:
		return fmt.Errorf("%d robots and apps are too many; %d at most", n, maxEnds)
	case c.For <= 0 || c.For > maxTime:
		return fmt.Errorf("sessions for %s make no sense; more than nothing, and %s at most", c.For, maxTime)
	case c.Rate < 0:
		return errors.New("a negative rate makes no sense")
	default:
		return nil
	}
}

// Run connects all robots and apps, lets the apps have sessions with the robots one
// after the other until the time is over or ctx ends, ends the sessions that are cut
// off by that, and reports. The error says why nobody could be connected; what goes
// wrong later is counted.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.check(); err != nil {
		return Report{}, err
	}
	// The sockets outlive ctx: what is cut off is ended over them.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := newFigures(len(cfg.Robots) + cfg.Apps)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	if cfg.Progress != nil {
		running.Go(func() { f.tell(life, cfg.Progress) })
	}
	var ends []*end
	for _, r := range cfg.Robots {
		e, err := newRobot(cfg, r, f)
		if err != nil {
			return Report{}, err
		}
		ends = append(ends, e)
	}
	robots, apps := newFleet(cfg.Robots), make([]*app, cfg.Apps)
	for i := range apps {
		a, err := newApp(cfg, robots, f)
		if err != nil {
			return Report{}, err
		}
		apps[i] = a
		ends = append(ends, a.end)
	}
	run := func(e *end) { running.Go(func() { _ = e.client.Run(life) }) } // OnDown has the cause
	if err := connect(ctx, ends, run, f); err != nil {
		return Report{}, err
	}
	if err := robots.wait(ctx); err != nil {
		return Report{}, err
	}
	took := haveSessions(ctx, cfg, apps, f)
	return f.report(len(cfg.Robots), cfg.Apps, took), nil
}

// haveSessions lets the apps have sessions until the time is over or ctx ends, and
// returns how long that took. Those that are cut off have ended then.
func haveSessions(ctx context.Context, cfg Config, apps []*app, f *figures) (took time.Duration) {
	ctx, over := context.WithTimeout(ctx, cfg.For)
	defer over()
	f.start()
	pace := rate.NewLimiter(rate.Inf, 1)
	if cfg.Rate > 0 {
		pace.SetLimit(rate.Limit(cfg.Rate))
	}
	began := time.Now()
	var cycling sync.WaitGroup
	for i, a := range apps {
		cycling.Go(func() { a.cycles(ctx, pace, i, cfg.Robots) })
	}
	<-ctx.Done()
	took = time.Since(began)
	cycling.Wait()
	return took
}

// connect starts all ends, so many at a time, and returns when they are up.
func connect(ctx context.Context, ends []*end, run func(*end), f *figures) error {
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
			run(e)
			select {
			case <-e.up:
				f.took("connect", time.Since(started))
			case err := <-e.failed:
				faults <- fmt.Errorf("connect: %w", err)
				cancel()
			case <-patient.Done():
				faults <- context.Cause(patient)
			}
		})
	}
	dialing.Wait()
	f.allConnected(time.Since(began))
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
