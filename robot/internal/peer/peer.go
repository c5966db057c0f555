// Package peer is one viewer's session on the robot: it offers, trickles,
// sends the video and goes away again.
//
// A [Peer] is one goroutine, the caller of [Peer.Run], with an inbox. The relay's
// messages, pion's callbacks and the timers all put an action there and never
// wait; only the actions touch the session, so none of it needs a lock. Beside
// it a session has two helpers, for RTP out and RTCP in, which Run waits for.
package peer

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/link"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/rtc"
)

const (
	// inboxLen is how many actions may wait. A session has some 50 in all;
	// whoever causes more at once is not an app.
	inboxLen = 256
	// maxEarly is how many of the app's candidates are kept while its answer
	// is on the way.
	maxEarly = 64
)

// Config is what a session needs. It is not changed after [New].
type Config struct {
	// NewAPI makes pion's API for one connection, whose network ends with life.
	NewAPI     func(life context.Context) (*webrtc.API, error)
	SessionID  wire.SessionID
	ICEServers wire.ICEServers
	Stream     *stream.Stream
	// Link measures the connection that NewAPI is for. Without one the viewer
	// gets what he asks for, whatever his link carries.
	Link *link.Link
	// Wheel is what the viewer may drive with.
	Wheel *control.Wheel
	// Send hands a message to the relay. It must not wait. An error means that
	// there is no relay now; see [Peer.Online].
	Send func(wire.Message) error
	// OnState is called with each new state, from Run's goroutine, and with
	// the codec once the app has chosen it. It must not wait.
	OnState func(State, encode.Codec)
	// Dropped counts the pictures that the viewer is not sent; nil counts them for
	// nobody.
	Dropped *atomic.Uint64
	// Timing differs in tests; the zero value is the contract's.
	Timing Timing
	Log    *slog.Logger
}

// Timing is how patient a session is.
type Timing struct {
	// Resend says when, after the first offer, an unanswered one is sent again.
	Resend []time.Duration
	// Answer is how long after the offer the answer may take. It is longer
	// than the relay's own limit, so that the relay is the one to say it.
	Answer time.Duration
	// Connect is how long after the answer ICE and DTLS may take.
	Connect time.Duration
}

func defaultTiming() Timing {
	return Timing{
		Resend:  []time.Duration{time.Second, 3 * time.Second, 6 * time.Second},
		Answer:  wire.OfferTimeout + wire.AnswerTimeout + 5*time.Second,
		Connect: 15 * time.Second,
	}
}

// Peer is one session. The methods other than Run may be called from any
// goroutine, before, during and after Run; they never wait.
type Peer struct {
	cfg    Config
	driver *control.Driver
	inbox  chan func() error
	life   context.Context //nolint:containedctx // the life of the session, with the cause of its end
	end    context.CancelCauseFunc

	// Owned by Run's goroutine.
	state       State
	pc          *webrtc.PeerConnection
	network     context.Context //nolint:containedctx // the life of pc's sockets
	cutNetwork  context.CancelFunc
	track       *track
	sender      *webrtc.RTPSender
	control     *webrtc.DataChannel
	subscribed  *stream.Subscription
	dropped     uint64           // pictures, up to now
	rendition   stream.Rendition // that is wanted
	plain       bool             // the overlay is not wanted
	controller  *quality.Controller
	told        time.Time    // when the app was told of its picture
	bytes       atomic.Int64 // of video that were sent since then
	pumping     bool         // was connected once
	releaseHold func()
	offers      int                // how many different ones were made: one, and one for each ICE restart
	answered    bool               // the last of them
	linked      bool               // connected since the last of them
	direct      bool               // the app has named a candidate that is no TURN server's, since then
	renewal     []webrtc.ICEServer // for the next ICE restart; nil: none is due
	early       []wire.Candidate   // of the app, before its answer
	local       []wire.Candidate   // ours, so far
	timers      []*time.Timer
	helpers     sync.WaitGroup
}

// New returns a session that has done nothing yet.
func New(cfg Config) *Peer {
	if cfg.Timing.Resend == nil {
		cfg.Timing = defaultTiming()
	}
	life, end := context.WithCancelCause(context.Background())
	network, cut := context.WithCancel(context.Background())
	p := &Peer{
		cfg: cfg, inbox: make(chan func() error, inboxLen), life: life, end: end,
		network: network, cutNetwork: cut, releaseHold: func() {},
	}
	p.controller = quality.NewController(cfg.Stream.Ladder())
	p.driver = cfg.Wheel.Driver(control.FromViewer, func(a control.Ack) { p.say(a) })
	return p
}

// Run offers and serves the session until it ends: by [Peer.Close], by ctx, by
// the app, or by a failure, which it returns; a panic is one. The robot has stopped
// by then if the viewer drove it, the other side has been told, and everything is
// freed.
func (p *Peer) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { p.end(errStopped) })()
	if err := p.guard(p.offer); err != nil {
		p.end(err)
	}
	for p.life.Err() == nil {
		select {
		case act := <-p.inbox:
			if err := p.guard(act); err != nil {
				p.end(err)
			}
		case <-p.life.Done():
		}
	}
	cause := context.Cause(p.life)
	p.driver.Leave("the driver has gone")
	_ = p.guard(func() error { // it is ending already
		p.enter(Closed)
		p.sayGoodbye(cause)
		return nil
	})
	p.free()
	if quiet(cause) {
		return nil
	}
	return cause
}

// guard calls f. If it panics, that is the end of this session and of no other.
func (p *Peer) guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p.cfg.Log.ErrorContext(p.life, "panic", "value", v, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return f()
}

// help starts a helper, whose panic ends the session.
func (p *Peer) help(work func()) {
	p.helpers.Go(func() {
		if err := p.guard(func() error { work(); return nil }); err != nil {
			p.end(err)
		}
	})
}

// Close ends the session without a word to the relay, which knows.
func (p *Peer) Close() { p.end(errClosed) }

// GiveWay ends the session of an app that is no longer there, and tells the relay.
func (p *Peer) GiveWay() { p.end(errAppGone) }

// post puts an action into the inbox. Signaling is never dropped: a full inbox
// ends the session.
func (p *Peer) post(act func() error) {
	if !p.tryPost(act) {
		p.end(errOverrun)
	}
}

func (p *Peer) tryPost(act func() error) bool {
	select {
	case p.inbox <- act:
		return true
	default:
		return false
	}
}

// after posts an action later, unless the session has ended by then.
func (p *Peer) after(d time.Duration, act func() error) {
	p.timers = append(p.timers, time.AfterFunc(d, func() { p.post(act) }))
}

func (p *Peer) enter(s State) {
	if p.state == s {
		return
	}
	p.state = s
	var codec encode.Codec
	if p.track != nil && p.track.bound != nil {
		codec = p.track.bound.codec
	}
	p.cfg.Log.InfoContext(p.life, "session state", "state", s, "codec", codec)
	p.cfg.OnState(s, codec)
}

// send is for messages that can be sent again later.
func (p *Peer) send(m wire.Message) {
	m.SessionID = p.cfg.SessionID
	if err := p.cfg.Send(m); err != nil {
		p.cfg.Log.DebugContext(p.life, "message not sent", "type", m.Type, "error", err)
	}
}

// free gives everything back. Closing the connection ends the helpers.
func (p *Peer) free() {
	for _, t := range p.timers {
		t.Stop()
	}
	defer p.cutNetwork()
	if p.pc != nil {
		defer time.AfterFunc(rtc.CloseTime, p.cutNetwork).Stop()
		if err := p.pc.GracefulClose(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
			p.cfg.Log.DebugContext(p.life, "close the peer connection", "error", err)
		}
	}
	p.helpers.Wait()
	if p.subscribed != nil {
		p.subscribed.Close()
	}
	p.releaseHold()
}
