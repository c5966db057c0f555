package simapp

import (
	"context"
	"log/slog"
	"sync"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

// Config is what a [Phone] needs to know.
type Config struct {
	// RelayURL is the relay's address: ws, wss, http or https, host and port.
	RelayURL string
	// Token is what [Login] returned.
	Token string
	// OnMessage, if not nil, sees every message of the relay before the phone
	// acts on it, one at a time: events of the user's robots
	// ([wire.Message.IsEvent]), and all the others. It must not block.
	OnMessage func(wire.Message)
	Log       *slog.Logger
}

// socket is what a phone needs of a [client.Client].
type socket interface {
	Run(ctx context.Context) error
	Send(m wire.Message) error
}

// Phone is one signed-in app with one relay socket. The socket heals: after a
// loss it is dialled again and the viewings that went on meanwhile are resumed
// (CONTRACT §4, row 10). Its methods may be called from any goroutine.
type Phone struct {
	// static after Dial
	cfg    Config
	socket socket
	turn   chan struct{}   // held by the one Watch whose request is unanswered
	life   context.Context //nolint:containedctx // the phone's own life, with the cause of its end
	end    context.CancelCauseFunc
	ended  chan struct{} // the socket's goroutine has ended

	mu       sync.Mutex
	token    string
	closing  bool // nothing new begins
	moved    bool // this machine's address has changed since the socket was up
	driving  driving
	requests []*request // unanswered ones, oldest first
	viewings map[wire.SessionID]*Viewing
	past     []wire.SessionID // the last viewings that have ended
}

// maxPast is how many of them are known: fresh credentials for one may be on their way
// when it ends, and are no answer to the next request.
const maxPast = 16

// Dial connects to the relay and returns when the socket is up. It fails when
// the first attempt does, with [client.ErrUnauthorized] for a bad token, or
// when ctx ends; ctx has no meaning afterwards. The phone must be closed.
func Dial(ctx context.Context, cfg Config) (*Phone, error) {
	return dial(ctx, cfg, func(c client.Config) (socket, error) { return client.New(c) })
}

func dial(ctx context.Context, cfg Config, open func(client.Config) (socket, error)) (*Phone, error) {
	p := &Phone{
		cfg: cfg, token: cfg.Token,
		turn: make(chan struct{}, 1), ended: make(chan struct{}),
		driving:  driving{turn: make(chan struct{}, 1)},
		viewings: make(map[wire.SessionID]*Viewing),
	}
	p.life, p.end = context.WithCancelCause(context.WithoutCancel(ctx))
	first := make(chan error, 1)
	report := func(err error) {
		select {
		case first <- err:
		default: // only the first attempt is waited for
		}
	}
	s, err := open(client.Config{
		URL:       cfg.RelayURL,
		Identity:  client.App(p.currentToken),
		OnUp:      func() { p.onUp(); report(nil) },
		OnMessage: p.receive,
		OnDown:    func(err error) { p.onDown(err); report(err) },
		Log:       cfg.Log,
	})
	if err != nil {
		p.end(err)
		return nil, err
	}
	p.socket = s
	go p.run()
	select {
	case err = <-first:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// run holds the socket until the phone is closed or its login has ended; then
// no viewing can go on either. What the relay said before is heard first.
func (p *Phone) run() {
	defer close(p.ended)
	if err := p.socket.Run(p.life); err != nil {
		p.endViewings(func(v *Viewing) { v.post(func() { v.end(err) }) })
		p.end(err)
	}
}

// Done is closed when the phone has ended, by [Phone.Close] or because its
// login did; Err then says why.
func (p *Phone) Done() <-chan struct{} { return p.life.Done() }

// Err returns why the phone has ended, nil while it lives: [ErrClosed],
// [client.ErrUnauthorized] or [client.ErrSuperseded].
func (p *Phone) Err() error { return context.Cause(p.life) }

// Send sends any message to the relay, for tests that break the rules.
func (p *Phone) Send(m wire.Message) error { return p.socket.Send(m) }

// Renew sends a fresh token, so that the socket outlives the old one
// (CONTRACT §3.1), and uses it for every later dial.
func (p *Phone) Renew(token string) error {
	p.mu.Lock()
	p.token = token
	p.mu.Unlock()
	return p.Send(wire.Message{Type: wire.TypeAuth, Token: token})
}

// Close ends every viewing, says so to the relay, closes the socket and waits
// for all of it. A second call does nothing more.
func (p *Phone) Close() {
	p.endViewings(func(v *Viewing) { v.end(ErrClosed) })
	p.end(ErrClosed)
	<-p.ended
}

// endViewings ends every viewing and waits for it. There will be no others.
func (p *Phone) endViewings(end func(*Viewing)) {
	p.mu.Lock()
	p.closing = true
	open := make([]*Viewing, 0, len(p.viewings))
	for _, v := range p.viewings {
		open = append(open, v)
	}
	p.mu.Unlock()
	for _, v := range open {
		end(v)
	}
	for _, v := range open {
		<-v.done
	}
}

func (p *Phone) currentToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token
}
