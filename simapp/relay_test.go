package simapp

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/robot/testpattern"
)

// fakeRelay is the relay's end of a phone's socket, without a socket.
type fakeRelay struct {
	cfg  client.Config
	sent chan wire.Message // what the phone has sent

	mu   sync.Mutex
	down bool
	drop chan error // ends Run
}

// dialFake returns a phone connected to a relay the test plays.
func dialFake(t *testing.T) (*Phone, *fakeRelay) {
	t.Helper()
	r := &fakeRelay{sent: make(chan wire.Message, 1000), drop: make(chan error, 1)}
	p, err := dial(t.Context(), Config{
		RelayURL: "ws://127.0.0.1:1", Log: slog.New(slog.DiscardHandler),
	}, func(c client.Config) (socket, error) {
		r.cfg = c
		return r, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, r
}

func (r *fakeRelay) Run(ctx context.Context) error {
	r.cfg.OnUp()
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.drop:
		r.cfg.OnDown(err)
		return err
	}
}

func (r *fakeRelay) Send(m wire.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return client.ErrOffline
	}
	r.sent <- m
	return nil
}

// reconnect is what a client does when its socket was lost and is back.
func (r *fakeRelay) reconnect() {
	r.cfg.OnDown(fmt.Errorf("lost"))
	r.cfg.OnUp()
}

func (r *fakeRelay) say(m wire.Message) { r.cfg.OnMessage(m) }

// await returns the next message of a type; others are skipped.
func (r *fakeRelay) await(t *testing.T, want wire.Type) wire.Message {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case m := <-r.sent:
			if m.Type == want {
				return m
			}
		case <-limit:
			t.Fatalf("no %s came", want)
		}
	}
}

// grant answers the phone's next request.
func (r *fakeRelay) grant(t *testing.T, id wire.SessionID) {
	t.Helper()
	r.await(t, wire.TypeRequest)
	r.say(wire.Message{Type: wire.TypeCredentials, SessionID: id, ICEServers: &wire.ICEServers{}})
}

// fakeRobot offers a track of pictures; after the first, only those that were
// asked for are key frames.
type fakeRobot struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
	asked chan struct{} // a key frame was asked for
	key   atomic.Bool   // the next picture is one
	lose  atomic.Bool   // one packet of the next picture
}

func newRobot(t *testing.T) *fakeRobot {
	t.Helper()
	api, err := rtc.NewAPI(t.Context(), rtc.Options{Codecs: []string{"h264"}, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	track, err := webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: rtc.ClockRate}, "video", "robot")
	if err != nil {
		t.Fatal(err)
	}
	transceiver, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{
		Direction: webrtc.RTPTransceiverDirectionSendonly,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeRobot{pc: pc, track: track, asked: make(chan struct{}, 1)}
	go r.hear(transceiver.Sender())
	return r
}

// hear notes the requests for key frames.
func (r *fakeRobot) hear(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				r.key.Store(true)
				select {
				case r.asked <- struct{}{}:
				default:
				}
			}
		}
	}
}

// offer returns an offer with all candidates in it.
func (r *fakeRobot) offer(t *testing.T, restart bool) wire.Message {
	t.Helper()
	offer, err := r.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(r.pc)
	if err = r.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return wire.Message{Type: wire.TypeOffer, SessionID: theSession, SDP: &wire.SessionDescription{
		Type: "offer", SDP: r.pc.LocalDescription().SDP,
	}}
}

func (r *fakeRobot) accept(t *testing.T, answer wire.Message) {
	t.Helper()
	err := r.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP.SDP})
	if err != nil {
		t.Fatal(err)
	}
}

// trickle gives the robot the app's candidates until the test ends.
func (r *fakeRobot) trickle(t *testing.T, relay *fakeRelay) {
	t.Helper()
	go func() {
		for {
			select {
			case m := <-relay.sent:
				if m.Type == wire.TypeICE {
					_ = r.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: m.Candidate.Candidate})
				}
			case <-t.Context().Done():
				return
			}
		}
	}()
}

// film sends stamped pictures at 50 a second until the test ends.
func (r *fakeRobot) film(t *testing.T) {
	t.Helper()
	const frameTime = 20 * time.Millisecond
	packetizer := rtp.NewPacketizer(1200, 0, 0, &codecs.H264Payloader{}, rtp.NewRandomSequencer(), rtc.ClockRate)
	var encoder rawH264
	r.key.Store(true)
	painter := testpattern.NewPainter(160, 96)
	img := image.NewYCbCr(image.Rect(0, 0, 160, 96), image.YCbCrSubsampleRatio420)
	go func() {
		tick := time.NewTicker(frameTime)
		defer tick.Stop()
		for n := uint32(1); ; n++ {
			select {
			case now := <-tick.C:
				painter.Draw(img, testpattern.Stamp{Number: n, Captured: now})
				for i, packet := range packetizer.Packetize(encoder.encode(img, r.key.Swap(false)), rtc.ClockRate/50) {
					if i != 5 || !r.lose.CompareAndSwap(true, false) {
						_ = r.track.WriteRTP(packet)
					}
				}
			case <-t.Context().Done():
				return
			}
		}
	}()
}
