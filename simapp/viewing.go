package simapp

import (
	"context"
	"image"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp/internal/measure"
)

// Options say what is watched, and how.
type Options struct {
	// Device is the robot; empty leaves the choice to the relay, for a user
	// who owns exactly one.
	Device wire.DeviceID
	// Codec is the only one accepted, "h264" or "vp8"; empty accepts both.
	Codec string
	// RelayOnly allows no other path than through a TURN server.
	RelayOnly bool
	// OnPicture, if not nil, is called with every decoded picture, from the
	// decoding goroutine. The picture is valid during the call only.
	OnPicture func(*image.YCbCr)
	// OnCoded, if not nil, is called with every picture as it came, once it has
	// been decoded, from the decoding goroutine. The first one is a key picture,
	// and so is the first after a loss.
	OnCoded func(Coded)
	// OnControl, if not nil, is called with every message of the robot's
	// control channel, from the viewing's goroutine. It must not block.
	OnControl func(data []byte)
}

// Coded is a picture as the robot has sent it.
type Coded struct {
	Codec     string      // "h264", an Annex B access unit, or "vp8", a frame
	Timestamp uint32      // when it was taken, in RTP's 90 kHz; wraps
	Key       bool        // can be decoded without those before it
	Size      image.Point // in pixels
	Data      []byte      // the callee's own
}

// Viewing is one session with one robot. Its methods may be called from any
// goroutine.
type Viewing struct {
	// static after newViewing
	phone *Phone
	id    wire.SessionID
	opts  Options
	asked time.Time
	api   *webrtc.API
	// cutNetwork closes every socket of the peer connection.
	cutNetwork context.CancelFunc
	log        *slog.Logger

	inbox chan func()     // work for the owner, see post
	life  context.Context //nolint:containedctx // the viewing's own life, with the cause of its end
	end   context.CancelCauseFunc
	media sync.WaitGroup // goroutines of the track

	connected, live, controllable, done chan struct{}

	session // owned by run's goroutine

	mu      sync.Mutex
	meter   measure.Meter
	phases  map[Phase]float64
	codec   string
	pair    *Pair
	control *webrtc.DataChannel
	changed chan struct{} // closed and replaced with every picture
}

// newViewing makes a viewing of an answered request; its goroutine is run.
func newViewing(p *Phone, granted wire.Message, r *request) (*Viewing, error) {
	var codecs []string
	if r.opts.Codec != "" {
		codecs = []string{r.opts.Codec}
	}
	network, cutNetwork := context.WithCancel(context.Background())
	api, err := rtc.NewAPI(network, rtc.Options{
		Codecs:        codecs,
		LoopbackAlone: rtc.LoopbackRelay(p.cfg.RelayURL),
		Log:           p.cfg.Log,
	})
	if err != nil {
		cutNetwork()
		return nil, err
	}
	v := &Viewing{
		phone: p, id: granted.SessionID, opts: r.opts, asked: r.sent, api: api, cutNetwork: cutNetwork,
		log:       p.cfg.Log.With("session_id", string(granted.SessionID)),
		inbox:     make(chan func(), inboxLen),
		connected: make(chan struct{}), live: make(chan struct{}),
		controllable: make(chan struct{}), done: make(chan struct{}),
		phases: make(map[Phase]float64), changed: make(chan struct{}),
	}
	v.ticket = granted.Ticket
	v.life, v.end = context.WithCancelCause(p.life)
	v.reach(PhaseCredentials)
	v.expect("the robot's offer", time.Until(v.asked.Add(offerTimeout)), offerTimeout)
	return v, nil
}

// SessionID returns the identifier the relay gave the session.
func (v *Viewing) SessionID() wire.SessionID { return v.id }

// Connected is closed when media has a path for the first time.
func (v *Viewing) Connected() <-chan struct{} { return v.connected }

// Live is closed with the first decoded picture.
func (v *Viewing) Live() <-chan struct{} { return v.live }

// Controllable is closed when the robot's control channel is open for the first
// time.
func (v *Viewing) Controllable() <-chan struct{} { return v.controllable }

// Done is closed when the viewing has ended and everything of it is freed.
func (v *Viewing) Done() <-chan struct{} { return v.done }

// Err returns why the viewing has ended, nil while it goes on: a [*RelayError],
// a [*ClosedError], a [*TimeoutError], [ErrICEFailed], [ErrNoCodec],
// [ErrClosed], or what ended the phone.
func (v *Viewing) Err() error {
	select {
	case <-v.done:
		return context.Cause(v.life)
	default:
		return nil
	}
}

// Close ends the viewing, tells the robot, and returns when all is freed.
func (v *Viewing) Close() {
	v.end(ErrClosed)
	<-v.done
}

// Report returns what has been measured so far, also after the end.
func (v *Viewing) Report() Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := newReport(v.meter.Figures())
	r.SessionID, r.Codec, r.Pair = v.id, v.codec, v.pair
	r.Phases = maps.Clone(v.phases)
	if ms, ok := v.phases[PhaseFrame]; ok {
		r.TTFF = &ms
	}
	return r
}

// Totals returns what has been counted so far. It costs little.
func (v *Viewing) Totals() Totals {
	v.mu.Lock()
	defer v.mu.Unlock()
	total := Totals{Pictures: v.meter.Pictures(), Newest: v.meter.LastPicture(), Bytes: v.meter.Bytes()}
	if latest, ok := v.meter.Latest(); ok {
		ms := millis(latest)
		total.Latency = &ms
	}
	return total
}

// WaitFrames returns when n stamped pictures in a row have been decoded from
// now on, each with a higher number than the one before. A picture without a
// stamp (a placeholder, say) begins the count anew.
func (v *Viewing) WaitFrames(ctx context.Context, n int) error {
	start, _ := v.currentRun()
	for {
		now, changed := v.currentRun()
		if now.Breaks != start.Breaks {
			start = measure.Run{Breaks: now.Breaks}
		}
		if now.Length-start.Length >= n {
			return nil
		}
		select {
		case <-changed:
		case <-v.done:
			return v.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// currentRun returns the present run of pictures and what is closed with the next.
func (v *Viewing) currentRun() (measure.Run, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.meter.Run(), v.changed
}

// SendControl sends a text message on the robot's control channel, as apps
// send motor commands (CONTRACT §6). The channel repairs no loss.
func (v *Viewing) SendControl(data []byte) error {
	v.mu.Lock()
	channel := v.control
	v.mu.Unlock()
	if channel == nil || channel.ReadyState() != webrtc.DataChannelStateOpen {
		return ErrNoControl
	}
	return channel.SendText(string(data))
}

// reach records the first time a phase is reached.
func (v *Viewing) reach(p Phase) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, again := v.phases[p]; !again {
		v.phases[p] = millis(time.Since(v.asked))
	}
}
