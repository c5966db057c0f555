package peer_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/link"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/rtc"
)

// awaitWidth reads a track up to a key frame of a width (RFC 6386 §9.1).
func awaitWidth(t *testing.T, track *webrtc.TrackRemote, want int) {
	t.Helper()
	if err := track.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for seen != want {
		packet, _, err := track.ReadRTP()
		if err != nil {
			t.Fatalf("no picture %d wide, but %d: %v", want, seen, err)
		}
		var header codecs.VP8Packet
		frame, err := header.Unmarshal(packet.Payload)
		if err == nil && header.S == 1 && header.PID == 0 && len(frame) >= 10 && frame[0]&1 == 0 {
			seen = int(frame[6]) | int(frame[7]&0x3f)<<8
		}
	}
}

func TestViewersChooseForThemselves(t *testing.T) {
	s := newStream(t)
	one, two := startSession(t, s, peer.Timing{}), startSession(t, s, peer.Timing{})
	first, track := connect(t, one, "vp8")
	_, other := connect(t, two, "vp8")
	channel, _ := first.channel(t)
	for _, c := range []struct {
		mode  string
		width int
	}{{"", 320}, {"low", 160}, {"medium", 240}, {"high", 320}, {"low", 160}, {"auto", 320}} {
		if c.mode != "" {
			if err := channel.SendText(`{"command":"set_video_quality","mode":"` + c.mode + `"}`); err != nil {
				t.Fatal(err)
			}
		}
		awaitWidth(t, track, c.width)
	}
	awaitWidth(t, other, 320)
	deadline := time.Now().Add(patience)
	for s.Encoders() != 1 {
		if time.Now().After(deadline) {
			t.Fatalf("%d encoders for two equal viewers", s.Encoders())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestTheAppIsToldOfItsPicture reads what is said of a measured link, as CONTRACT
// §6 has it.
func TestTheAppIsToldOfItsPicture(t *testing.T) {
	s := newStream(t)
	o := startMeasured(t, s, link.New(300, rtc.NewLoggerFactory(slog.New(slog.DiscardHandler))), nil)
	v, track := connect(t, o)
	_, said := v.channel(t)
	go func() {
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
		}
	}()
	for range 2 {
		var text string
		select {
		case text = <-said:
		case <-time.After(patience):
			t.Fatal("nothing is said")
		}
		var m struct {
			Type        string   `json:"type"`
			Tier        string   `json:"tier"`
			Resolution  string   `json:"resolution"`
			BitrateKbps *int     `json:"bitrate_kbps"`
			LossPct     *float64 `json:"loss_pct"`
			RTTMillis   *int     `json:"rtt_ms"`
			Bars        *int     `json:"bars"`
			Mode        string   `json:"mode"`
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		if m.Type != "video_quality" || m.Tier == "" || !strings.Contains(m.Resolution, "x") || m.Mode != "auto" ||
			m.BitrateKbps == nil || *m.BitrateKbps < 10 || *m.BitrateKbps > 3000 ||
			m.LossPct == nil || m.RTTMillis == nil || m.Bars == nil || *m.Bars < 0 || *m.Bars > 4 {
			t.Errorf("the app is told %s", text)
		}
	}
}

// TestLostPacketsAreSentAgain: a repair comes in a stream of its own (RFC 4588),
// and is not kept back by what measures the link.
func TestLostPacketsAreSentAgain(t *testing.T) {
	w := watchThrough(t, newStream(t), "vp8")
	w.way.loss.Store(10)
	begin := time.Now()
	for len(w.since(begin)) < 90 {
		if time.Since(begin) > patience {
			t.Fatalf("%d pictures", len(w.since(begin)))
		}
		<-time.After(50 * time.Millisecond)
	}
	// A third of the pictures would be lost, and more with them until the next key
	// frame.
	if f := figuresOf(w.since(begin), begin, time.Now()); f.freeze > 2*time.Second {
		t.Errorf("%v", f)
	}
}

// stall lets no video out until it is freed.
type stall struct {
	interceptor.NoOp

	freed chan struct{}
}

// NewInterceptor implements interceptor.Factory.
func (s *stall) NewInterceptor(string) (interceptor.Interceptor, error) { return s, nil }

// BindLocalStream implements interceptor.Interceptor.
func (s *stall) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		<-s.freed
		return next.Write(h, payload, a)
	})
}

// TestPicturesThatAViewerMissesAreCounted while nothing gets through to him: first a
// queue is lost, then picture after picture.
func TestPicturesThatAViewerMissesAreCounted(t *testing.T) {
	var dropped atomic.Uint64
	way := &stall{freed: make(chan struct{})}
	o := startPeer(t, peer.Config{
		Wheel: newWheel(t), Stream: newStream(t), Dropped: &dropped,
		NewAPI: func(life context.Context) (*webrtc.API, error) {
			return rtc.NewAPI(life, rtc.Options{Loopback: true, Measure: func(r *interceptor.Registry) error {
				r.Add(way)
				return nil
			}})
		},
	})
	defer close(way.freed)
	v := newViewer(t, "vp8")
	o.Answer(v.answer(t, o.await(t, wire.TypeOffer)))
	v.trickle(t, o)
	deadline := time.Now().Add(patience)
	for last, grown := uint64(0), 0; grown < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("%d pictures are counted as missed", dropped.Load())
		}
		<-time.After(10 * time.Millisecond)
		if now := dropped.Load(); now > last {
			last = now
			grown++
		}
	}
}
