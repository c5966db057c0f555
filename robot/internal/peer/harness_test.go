package peer_test

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/rtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; nothing that goes right takes so long.
const patience = 20 * time.Second

var format = camera.Format{Width: 320, Height: 192, FPS: 30}

func newAPI(t testing.TB, codecs ...string) *webrtc.API {
	t.Helper()
	api, err := rtc.NewAPI(t.Context(), rtc.Options{Codecs: codecs, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func newStream(t testing.TB) *stream.Stream {
	t.Helper()
	return newStreamOf(t, camera.FromDriver(&camera.Synthetic{}))
}

func newStreamOf(t testing.TB, source camera.Source) *stream.Stream {
	t.Helper()
	s := stream.New(source,
		stream.Settings{Format: format, BitrateKbps: 300}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	return s
}

// newWheel returns a wheel with no software behind it.
func newWheel(t testing.TB) *control.Wheel {
	t.Helper()
	software, err := control.Listen(t.Context(), "", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	wheel := control.NewWheel(software)
	t.Cleanup(wheel.Close)
	return wheel
}

// session is a peer that runs, and what it says.
type session struct {
	*peer.Peer
	sent   chan wire.Message
	passed []wire.Message // taken from sent while another type was awaited
	states chan peer.State
	stop   context.CancelFunc
	ended  chan error
	broken atomic.Bool // the next candidate that is sent is one too many
}

func startSession(t testing.TB, s *stream.Stream, timing peer.Timing, codecs ...string) *session {
	t.Helper()
	return startSessionWith(t, s, timing, func(life context.Context) (*webrtc.API, error) {
		return rtc.NewAPI(life, rtc.Options{Codecs: codecs, Loopback: true})
	})
}

func startSessionWith(
	t testing.TB, s *stream.Stream, timing peer.Timing, newAPI func(life context.Context) (*webrtc.API, error),
) *session {
	t.Helper()
	return startDriver(t, newWheel(t), s, timing, newAPI)
}

func startDriver(
	t testing.TB, wheel *control.Wheel, s *stream.Stream, timing peer.Timing,
	newAPI func(life context.Context) (*webrtc.API, error),
) *session {
	t.Helper()
	return startPeer(t, peer.Config{NewAPI: newAPI, Stream: s, Timing: timing, Wheel: wheel})
}

// startPeer runs a session. What it says is the test's.
func startPeer(t testing.TB, cfg peer.Config) *session {
	t.Helper()
	if cfg.Timing.Resend == nil {
		cfg.Timing = peer.Timing{Resend: []time.Duration{}, Answer: patience, Connect: patience}
	}
	ctx, stop := context.WithCancel(t.Context())
	o := &session{
		sent: make(chan wire.Message, 1000), states: make(chan peer.State, 100), stop: stop, ended: make(chan error, 1),
	}
	cfg.SessionID, cfg.Log = "s1", slog.New(slog.DiscardHandler)
	cfg.Send = func(m wire.Message) error {
		if m.Type == wire.TypeICE && o.broken.Load() {
			panic("as planted")
		}
		o.sent <- m
		return nil
	}
	cfg.OnState = func(s peer.State, _ encode.Codec) { o.states <- s }
	o.Peer = peer.New(cfg)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.ended <- o.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	return o
}

// await returns the next message of the type; the others wait for their turn.
func (o *session) await(t testing.TB, want wire.Type) wire.Message {
	t.Helper()
	for i, m := range o.passed {
		if m.Type == want {
			o.passed = slices.Delete(o.passed, i, i+1)
			return m
		}
	}
	for {
		select {
		case m := <-o.sent:
			if m.SessionID != "s1" {
				t.Errorf("%s of session %q", m.Type, m.SessionID)
			}
			if m.Type == want {
				return m
			}
			o.passed = append(o.passed, m)
		case <-time.After(patience):
			t.Fatalf("no %s", want)
		}
	}
}

func (o *session) awaitState(t testing.TB, want peer.State) {
	t.Helper()
	for {
		select {
		case s := <-o.states:
			if s == want {
				return
			}
		case <-time.After(patience):
			t.Fatalf("not %s", want)
		}
	}
}

func (o *session) awaitEnd(t testing.TB) error {
	t.Helper()
	select {
	case err := <-o.ended:
		return err
	case <-time.After(patience):
		t.Fatal("Run does not return")
		return nil
	}
}

// viewer is an app: a plain peer connection that receives.
type viewer struct {
	pc         *webrtc.PeerConnection
	candidates chan wire.Candidate // its own
	tracks     chan *webrtc.TrackRemote
	control    chan *webrtc.DataChannel
}

func newViewer(t testing.TB, codecs ...string) *viewer {
	t.Helper()
	pc, err := newAPI(t, codecs...).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{
		pc: pc, candidates: make(chan wire.Candidate, 100),
		tracks: make(chan *webrtc.TrackRemote, 1), control: make(chan *webrtc.DataChannel, 1),
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.tracks <- track })
	pc.OnDataChannel(func(c *webrtc.DataChannel) { v.control <- c })
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		next := wire.Candidate{}
		if c != nil {
			next.Candidate = c.ToJSON().Candidate
		}
		v.candidates <- next
	})
	return v
}

// answer takes an offer.
func (v *viewer) answer(t testing.TB, offer wire.Message) wire.SessionDescription {
	t.Helper()
	err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP.SDP})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := v.pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.pc.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	return wire.SessionDescription{Type: "answer", SDP: answer.SDP}
}

// trickle passes the viewer's candidates on, up to and with the end of them.
func (v *viewer) trickle(t testing.TB, o *session) {
	t.Helper()
	for {
		select {
		case c := <-v.candidates:
			o.Candidate(c)
			if c.Candidate == "" {
				return
			}
		case <-time.After(patience):
			t.Fatal("the viewer's gathering does not end")
		}
	}
}

// connect makes a viewer watch, and returns its track. The robot's candidates
// are found by the viewer as peer-reflexive ones.
func connect(t testing.TB, o *session, codecs ...string) (*viewer, *webrtc.TrackRemote) {
	t.Helper()
	v := newViewer(t, codecs...)
	o.Answer(v.answer(t, o.await(t, wire.TypeOffer)))
	v.trickle(t, o)
	return v, v.track(t)
}

func (v *viewer) track(t testing.TB) *webrtc.TrackRemote {
	t.Helper()
	select {
	case track := <-v.tracks:
		return track
	case <-time.After(patience):
		t.Fatal("no track")
		return nil
	}
}
