package peer_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/link"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/rtc"
)

// connected takes a session as far as media.
func connected(t *testing.T, timing peer.Timing) (*session, *viewer) {
	t.Helper()
	o, v := startSession(t, newStream(t), timing), newViewer(t)
	o.Answer(v.answer(t, o.await(t, wire.TypeOffer)))
	v.trickleOn(t, o)
	o.awaitState(t, peer.Connected)
	return o, v
}

// trickleOn passes the viewer's candidates on for as long as the test lasts.
func (v *viewer) trickleOn(t *testing.T, o *session) {
	var passing sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() { stop(); passing.Wait() })
	passing.Go(func() {
		for {
			select {
			case c := <-v.candidates:
				o.Candidate(c)
			case <-ctx.Done():
				return
			}
		}
	})
}

// TestICERestarts: with other ICE servers, or after a move to another network,
// the robot offers again and the same video goes on over a new path.
func TestICERestarts(t *testing.T) {
	for name, restart := range map[string]func(*session){
		"renewed": func(o *session) { o.Renew(wire.ICEServers{}) },
		"moved":   func(o *session) { o.Online(true) },
	} {
		t.Run(name, func(t *testing.T) {
			o, v := connected(t, peer.Timing{})
			track := v.track(t)
			for range 3 {
				restart(o)
				o.awaitState(t, peer.Disconnected)
				o.Answer(v.answer(t, o.awaitRestart(t, v)))
				o.awaitState(t, peer.Connected)
				if _, _, err := track.ReadRTP(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestWhileICERestarts: there is no path, so nothing is sent, and none of it is taken
// for a jam, neither then nor afterwards.
func TestWhileICERestarts(t *testing.T) {
	video := newStream(t)
	way := link.New(300, rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)))
	o := startMeasured(t, video, way, nil)
	v, track := connect(t, o)
	o.awaitState(t, peer.Connected)
	expectNoJam(t, track, way)
	_, other := connect(t, startSession(t, video, peer.Timing{}))

	o.Renew(wire.ICEServers{})
	offer := o.awaitRestart(t, v)
	readPictures(t, other, 2*format.FPS, func() { // the app is far away
		if queue := way.State(time.Now()).Queue; queue > 0 {
			t.Errorf("a queue of %v where nothing is sent", queue)
		}
	})
	o.Answer(v.answer(t, offer))
	v.trickleOn(t, o)
	o.awaitState(t, peer.Connected)
	expectNoJam(t, track, way)
}

// expectNoJam reads a second of video, and looks at the link.
func expectNoJam(t *testing.T, track *webrtc.TrackRemote, way *link.Link) {
	t.Helper()
	const jam = 200 * time.Millisecond
	readPictures(t, track, format.FPS, func() {
		if queue := way.State(time.Now()).Queue; queue > jam {
			t.Errorf("a queue of %v", queue)
		}
	})
}

// readPictures receives so many, and calls look with each.
func readPictures(t *testing.T, track *webrtc.TrackRemote, n int, look func()) {
	t.Helper()
	if err := track.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for n > 0 {
		packet, _, err := track.ReadRTP()
		if err != nil {
			t.Fatal(err)
		}
		if packet.Marker { // the last of a picture
			look()
			n--
		}
	}
}

// awaitRestart returns the next offer with other ICE credentials than the
// viewer knows. Repetitions of an earlier one are passed over.
func (o *session) awaitRestart(t *testing.T, v *viewer) wire.Message {
	t.Helper()
	for {
		offer := o.await(t, wire.TypeOffer)
		if ufrag(offer.SDP.SDP) != ufrag(v.pc.RemoteDescription().SDP) {
			return offer
		}
	}
}

func ufrag(description string) string {
	_, rest, _ := strings.Cut(description, "a=ice-ufrag:")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// TestRestartUnanswered: an app that does not answer the second offer has gone.
func TestRestartUnanswered(t *testing.T) {
	o, v := connected(t, peer.Timing{
		Resend: []time.Duration{time.Millisecond}, Answer: 2 * time.Second, Connect: patience,
	})
	o.Renew(wire.ICEServers{})
	first, again := o.awaitRestart(t, v), o.awaitRestart(t, v)
	if origin(first) != origin(again) {
		t.Error("another offer, not the same again")
	}
	if err := o.awaitEnd(t); err == nil {
		t.Error("the session ended without a cause")
	}
	if m := o.await(t, wire.TypeClose); m.Reason != wire.ReasonAnswerTimeout {
		t.Errorf("closed with %q", m.Reason)
	}
}

// TestRenewEarly: ICE servers that come before the first answer are used as soon
// as there is something to restart.
func TestRenewEarly(t *testing.T) {
	o, v := startSession(t, newStream(t), peer.Timing{}), newViewer(t)
	offer := o.await(t, wire.TypeOffer)
	o.Renew(wire.ICEServers{})
	o.Answer(v.answer(t, offer))
	v.trickleOn(t, o)
	o.Answer(v.answer(t, o.awaitRestart(t, v)))
	o.awaitState(t, peer.Connected)
}
