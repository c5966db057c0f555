package peer_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/link"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
)

// sighting is one decoded picture.
type sighting struct {
	at      time.Time
	latency time.Duration
	width   int
	bytes   int
}

// wide is a link that carries all, in kilobits a second.
const wide = 5000

// watcher is a viewer behind a bottleneck who looks at what he gets.
type watcher struct {
	*viewer
	link    *link.Link
	way     *bottleneck
	dropped atomic.Uint64 // pictures

	mu   sync.Mutex
	seen []sighting
}

// watchThrough connects a viewer of s through a bottleneck.
func watchThrough(t testing.TB, s *stream.Stream, codec string) *watcher {
	t.Helper()
	w := &watcher{link: link.New(s.Ladder()[quality.High].Kbps, rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)))}
	o := startMeasured(t, s, w.link, &w.dropped)
	w.viewer = newViewer(t, codec)
	answer := w.answer(t, o.await(t, wire.TypeOffer))
	answer.SDP = regexp.MustCompile(`a=(candidate|end-of-candidates).*\r\n`).ReplaceAllString(answer.SDP, "")
	o.Answer(answer)
	for c := range w.candidates {
		port := regexp.MustCompile(`^candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host`).FindStringSubmatchIndex(c.Candidate)
		if c.Candidate == "" {
			break
		}
		if port == nil || w.way != nil {
			continue
		}
		own, _ := strconv.Atoi(c.Candidate[port[2]:port[3]])
		w.way = newBottleneck(t, own, wide)
		c.Candidate = c.Candidate[:port[2]] + strconv.Itoa(w.way.port()) + c.Candidate[port[3]:]
		o.Candidate(c)
	}
	track := w.track(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.watch(t, track)
	}()
	t.Cleanup(func() { _ = w.pc.GracefulClose(); <-done })
	o.awaitState(t, peer.Connected)
	return w
}

func startMeasured(t testing.TB, s *stream.Stream, l *link.Link, dropped *atomic.Uint64) *session {
	t.Helper()
	return startPeer(t, peer.Config{
		Wheel: newWheel(t), Stream: s, Link: l, Dropped: dropped,
		NewAPI: func(life context.Context) (*webrtc.API, error) {
			return rtc.NewAPI(life, rtc.Options{Loopback: true, Measure: l.AddTo})
		},
	})
}

// watch decodes until the connection is closed. After a loss it begins again with
// a key frame, which it asks for.
func (w *watcher) watch(t testing.TB, track *webrtc.TrackRemote) {
	codec, depacketizer := encode.VP8, rtp.Depacketizer(&codecs.VP8Packet{})
	if track.Codec().MimeType == webrtc.MimeTypeH264 {
		codec, depacketizer = encode.H264, &codecs.H264Packet{}
	}
	decoder, err := decode.New(string(codec))
	if err != nil {
		t.Error(err)
		return
	}
	defer decoder.Close()
	builder := samplebuilder.New(200, depacketizer, rtc.ClockRate, samplebuilder.WithMaxTimeDelay(300*time.Millisecond))
	broken, asked := true, time.Time{}
	for packet := range packetsOf(track) {
		builder.Push(packet)
		for sample := builder.Pop(); sample != nil; sample = builder.Pop() {
			key := encode.IsKeyFrame(codec, sample.Data)
			if broken = broken || sample.PrevDroppedPackets > 0; broken && !key {
				if time.Since(asked) > 200*time.Millisecond {
					asked = time.Now()
					_ = w.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
				}
				continue
			}
			if broken {
				decoder.Flush()
			}
			picture, err := decoder.Decode(sample.Data)
			if broken = err != nil; broken || picture == nil {
				continue
			}
			if stamp, err := testpattern.Read(picture); err == nil {
				now := time.Now()
				w.mu.Lock()
				w.seen = append(w.seen, sighting{now, now.Sub(stamp.Captured), picture.Rect.Dx(), len(sample.Data)})
				w.mu.Unlock()
			}
		}
	}
}

// packetsOf reads a track as the packets come: their arrival is noted when they are
// read.
func packetsOf(track *webrtc.TrackRemote) <-chan *rtp.Packet {
	packets := make(chan *rtp.Packet, 10_000)
	go func() {
		defer close(packets)
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			packets <- packet
		}
	}()
	return packets
}

// since returns what was seen from a moment on.
func (w *watcher) since(begin time.Time) []sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, _ := slices.BinarySearchFunc(w.seen, begin, func(s sighting, at time.Time) int { return s.at.Compare(at) })
	return slices.Clone(w.seen[i:])
}

// figures are what a viewer would say of some seconds.
type figures struct {
	p50, p95, freeze time.Duration
	kbps, width      int // of the last second
	fps              float64
}

func figuresOf(list []sighting, begin, end time.Time) (f figures) {
	if len(list) == 0 {
		return figures{freeze: end.Sub(begin)}
	}
	latencies, last := []time.Duration{}, begin
	for _, s := range list {
		latencies = append(latencies, s.latency)
		f.freeze = max(f.freeze, s.at.Sub(last))
		last = s.at
		if end.Sub(s.at) < time.Second {
			f.kbps += s.bytes * 8 / 1000
		}
	}
	f.freeze = max(f.freeze, end.Sub(last))
	slices.Sort(latencies)
	f.p50, f.p95 = latencies[len(latencies)/2], latencies[len(latencies)*95/100]
	f.fps = float64(len(list)) / end.Sub(begin).Seconds()
	f.width = list[len(list)-1].width
	return f
}

func (f figures) String() string {
	return fmt.Sprintf("latency %3d/%4d ms, longest freeze %4d ms, %4.1f fps, at the end %4d kbit/s %d wide",
		f.p50.Milliseconds(), f.p95.Milliseconds(), f.freeze.Milliseconds(), f.fps, f.kbps, f.width)
}

// spell is some seconds with a link of one kind.
func (w *watcher) spell(t testing.TB, kbps, loss int, length time.Duration) figures {
	w.way.kbps.Store(int64(kbps))
	w.way.loss.Store(int64(loss))
	begin := time.Now()
	for end := begin.Add(length); time.Now().Before(end); {
		<-time.After(time.Second)
		state := w.link.State(time.Now())
		t.Logf("    %4.1f s: carries %5d delivered %4d loss %4.1f%% queue %3d ms | %v", time.Since(begin).Seconds(),
			state.Arriving, state.Delivered, state.Loss*100, state.Queue.Milliseconds(),
			figuresOf(w.since(time.Now().Add(-time.Second)), time.Now().Add(-time.Second), time.Now()))
	}
	f := figuresOf(w.since(begin), begin, time.Now())
	t.Logf("%d kbit/s, %d%% loss: %v", kbps, loss, f)
	return f
}

// fullStream is a stream as a robot sends it.
func fullStream(t testing.TB) *stream.Stream {
	t.Helper()
	s := stream.New(camera.FromDriver(&camera.Synthetic{}), stream.Settings{
		Format: camera.Format{Width: 1280, Height: 720, FPS: 15}, BitrateKbps: 1500,
	}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	return s
}

// TestSqueeze is the trial of the shaped link in short, with bounds that a busy
// machine keeps: it is about what must never happen.
func TestSqueeze(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	s := fullStream(t)
	w, other := watchThrough(t, s, "h264"), watchThrough(t, s, "h264")
	w.spell(t, wide, 0, 3*time.Second)
	squeezed := w.spell(t, 400, 0, 8*time.Second)
	if squeezed.freeze > 3*time.Second {
		t.Errorf("frozen for %v", squeezed.freeze)
	}
	if late := figuresOf(w.since(time.Now().Add(-3*time.Second)), time.Now().Add(-3*time.Second), time.Now()); late.p50 > time.Second {
		t.Errorf("pictures are %v late, and stay so", late.p50)
	}
	if own := w.latest(); own.width > 960 {
		t.Errorf("%d wide over 400 kbit/s", own.width)
	}
	if free := other.latest(); free.width != 1280 {
		t.Errorf("the other viewer's picture is %d wide", free.width)
	}
	begin := time.Now()
	w.way.kbps.Store(wide)
	for w.latest().width != 1280 {
		if <-time.After(100 * time.Millisecond); time.Since(begin) > 50*time.Second {
			t.Fatalf("still %d wide; the link %+v", w.latest().width, w.link.State(time.Now()))
		}
	}
	t.Logf("back after %v; %d pictures dropped", time.Since(begin), w.dropped.Load())
}

// latest returns what was seen last.
func (w *watcher) latest() sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return sighting{}
	}
	return w.seen[len(w.seen)-1]
}

// BenchmarkShapedLink is the trial itself: a minute for each. Latency is from the
// camera to the decoded picture, and one frame more: that is how long the test's
// receiver waits for the end of a frame.
func BenchmarkShapedLink(b *testing.B) {
	for _, c := range []struct {
		codec string
		kbps  int
	}{{"h264", 600}, {"h264", 300}, {"vp8", 600}} {
		b.Run(fmt.Sprintf("%s/%d", c.codec, c.kbps), func(b *testing.B) {
			var squeezed, beside, lossy, lossier figures
			var back time.Duration
			for b.Loop() { // once: it takes longer than any benchmark is run for
				s := fullStream(b)
				w, other := watchThrough(b, s, c.codec), watchThrough(b, s, c.codec)
				w.spell(b, wide, 0, 5*time.Second)
				begin := time.Now()
				squeezed = w.spell(b, c.kbps, 0, 20*time.Second)
				beside = figuresOf(other.since(begin), begin, time.Now())
				back = w.recovery(b)
				w.spell(b, wide, 0, 5*time.Second)
				lossy = w.spell(b, wide, 5, 10*time.Second)
				w.spell(b, wide, 20, 10*time.Second) // it is found out what kind of loss that is
				lossier = w.spell(b, wide, 20, 5*time.Second)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(squeezed.p95.Milliseconds()), "p95-ms")
			b.ReportMetric(float64(squeezed.freeze.Milliseconds()), "freeze-ms")
			b.ReportMetric(float64(beside.freeze.Milliseconds()), "other-freeze-ms")
			b.ReportMetric(float64(beside.width), "other-width")
			b.ReportMetric(back.Seconds(), "s-to-1Mbit/s")
			b.ReportMetric(float64(lossy.freeze.Milliseconds()), "5%loss-freeze-ms")
			b.ReportMetric(float64(lossier.freeze.Milliseconds()), "20%loss-freeze-ms")
			b.ReportMetric(float64(lossier.kbps), "20%loss-kbit/s")
		})
	}
}

// recovery is how long the link is wide again until a megabit a second comes.
func (w *watcher) recovery(b *testing.B) time.Duration {
	b.Helper()
	begin := time.Now()
	w.way.kbps.Store(wide)
	for time.Since(begin) < time.Minute {
		<-time.After(100 * time.Millisecond)
		if figuresOf(w.since(time.Now().Add(-time.Second)), time.Now().Add(-time.Second), time.Now()).kbps > 1000 {
			break
		}
	}
	return time.Since(begin)
}
