package link

import (
	"image"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"

	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/rtc"
)

// trial is a session in simulated time: the real link, with pion's congestion
// control, and the real controller; an encoder, a bottleneck and an app that are
// models. It runs in a bubble of synctest.
type trial struct {
	t          *testing.T
	link       *Link
	controller *quality.Controller
	decision   quality.Decision
	way        bottleneck
	app        app
	random     *rand.Rand

	write   func(ssrc uint32, n, size int) // n is the packet's number within the video
	read    func([]rtcp.Packet)
	events  []event
	packets []int // the frame of each packet of video
	key     bool
	frames  []frame
	rates   []sample
	changes int // of the tier
	begun   time.Time
	sent    int // bytes of video
}

// bottleneck is the way to the app: a rate, a queue of a bounded length, and what
// goes wrong besides.
type bottleneck struct {
	kbps   int
	queue  time.Duration // that it holds, at most; what comes then is lost
	loss   float64       // whatever the rate is
	jitter time.Duration // a packet comes earlier or later by as much
	police bool          // nothing waits: what is too much is lost
	free   time.Time
}

// app receives. What it says comes back in the time of the way.
type app struct {
	mute     bool          // it knows no transport-wide feedback
	limit    int           // what it says with REMB that it wants, kilobits a second
	stall    time.Duration // for up to so long it does nothing, every two seconds
	stutter  time.Duration // likewise, four times a second
	late     time.Duration // for so long only its feedback waits, every two seconds
	busy     time.Time     // until then
	recorder *twcc.Recorder
	expected int // packets of video since its last report
	arrived  int
	highest  int       // packet of video
	asked    time.Time // when the robot sent the newest sender report it has
	heard    time.Time // when that came
}

type event struct {
	at time.Time
	do func()
}

// frame is one picture on its way.
type frame struct {
	sent, arrived time.Time
	missing       int // packets
}

// sample is the bit rate that is sent at a moment.
type sample struct {
	at   time.Time
	kbps int
	tier quality.Tier
}

const (
	wayTime    = 20 * time.Millisecond // of an empty way, one way
	frameTime  = time.Second / 15
	simulated  = 5 * time.Millisecond // one step
	payloadMax = 1150
	overhead   = 60 // bytes of headers: IP, UDP, RTP, SRTP
)

var ladder = quality.NewLadder(image.Pt(1280, 720), 1500)

func newTrial(t *testing.T, seed uint64, way bottleneck, a app) *trial {
	t.Helper()
	s := &trial{
		t: t, controller: quality.NewController(ladder), way: way, app: a, key: true, begun: time.Now(),
		link:   New(1500, rtc.NewLoggerFactory(slog.New(slog.DiscardHandler))),
		random: rand.New(rand.NewPCG(seed, 1)),
	}
	s.app.recorder = twcc.NewRecorder(1)
	registry := &interceptor.Registry{}
	if err := s.link.AddTo(registry); err != nil {
		t.Fatal(err)
	}
	chain, err := registry.Build("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	s.connect(chain)
	return s
}

// connect lets packets leave through the interceptors, and RTCP come back.
func (s *trial) connect(chain interceptor.Interceptor) {
	var number int
	out := chain.BindLocalStream(&interceptor.StreamInfo{
		SSRC: video, SSRCRetransmission: repair,
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: sdp.TransportCCURI, ID: 1}},
	}, interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		var transport rtp.TransportCCExtension
		_ = transport.Unmarshal(h.GetExtension(1))
		s.carry(h.SSRC, number, transport.TransportSequence, len(payload)+overhead)
		return len(payload), nil
	}))
	s.write = func(ssrc uint32, n, size int) {
		number = n
		_, _ = out.Write(&rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: uint16(n)}, make([]byte, size), interceptor.Attributes{})
	}
	var pending []byte
	in := chain.BindRTCPReader(interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		return copy(b, pending), a, nil
	}))
	s.read = func(packets []rtcp.Packet) {
		pending, _ = rtcp.Marshal(packets)
		buffer := make([]byte, 1500)
		_, attributes, err := in.Read(buffer, interceptor.Attributes{})
		if err != nil {
			s.t.Error(err)
		}
		s.link.Feedback(attributes, time.Now())
	}
}

// carry takes a packet through the bottleneck.
func (s *trial) carry(ssrc uint32, n int, transport uint16, size int) {
	now := time.Now()
	if s.way.free.Before(now) {
		s.way.free = now
	}
	if s.way.free.Sub(now) > s.way.queue || s.random.Float64() < s.way.loss {
		s.later(now.Add(wayTime), func() { s.app.count(ssrc, false) })
		s.later(now.Add(3*wayTime+100*time.Millisecond), func() { s.write(repair, n, size-overhead) }) // when it was asked for
		return
	}
	s.way.free = s.way.free.Add(time.Duration(size*8) * time.Millisecond / time.Duration(s.way.kbps))
	at := s.way.free.Add(wayTime)
	if s.way.police {
		at = now.Add(wayTime)
	}
	if s.way.jitter > 0 {
		at = at.Add(time.Duration(s.random.Int64N(int64(2 * s.way.jitter))))
	}
	s.later(at, func() {
		if s.app.late == 0 && s.app.busy.After(time.Now()) {
			at = s.app.busy
		}
		s.later(at, func() { s.arrive(ssrc, n, transport) })
	})
}

func (s *trial) arrive(ssrc uint32, n int, transport uint16) {
	if !s.app.mute {
		s.app.recorder.Record(ssrc, transport, time.Since(s.begun).Microseconds())
	}
	s.app.count(ssrc, true)
	if ssrc == video {
		s.app.highest = max(s.app.highest, n)
	}
	f := &s.frames[s.packets[n]]
	f.missing--
	f.arrived = time.Now()
}

// count counts a packet for the next receiver report.
func (a *app) count(ssrc uint32, arrived bool) {
	if ssrc != video {
		return
	}
	if a.expected++; arrived {
		a.arrived++
	}
}

// upTo is a random time.
func (s *trial) upTo(d time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(d) + 1))
}

func (s *trial) later(at time.Time, do func()) { s.events = append(s.events, event{at, do}) }

// every calls f regularly.
func (s *trial) every(d time.Duration, f func()) {
	s.later(time.Now().Add(d), func() { f(); s.every(d, f) })
}

// start lets the parts work.
func (s *trial) start() {
	s.adapt()
	s.every(50*time.Millisecond, s.adapt)
	s.every(frameTime, s.encode)
	s.every(100*time.Millisecond, s.feedback)
	s.every(time.Second, s.question)
	s.every(time.Second, s.report)
	s.every(2*time.Second, func() { s.app.busy = time.Now().Add(s.upTo(s.app.stall) + s.app.late) })
	s.every(time.Second/4, func() {
		if busy := time.Now().Add(s.upTo(s.app.stutter)); busy.After(s.app.busy) {
			s.app.busy = busy
		}
	})
}

// back takes something to the robot.
func (s *trial) back(do func()) { s.later(time.Now().Add(wayTime), do) }

// feedback tells of each packet.
func (s *trial) feedback() {
	if s.app.mute || s.app.busy.After(time.Now()) {
		return
	}
	if packets := s.app.recorder.BuildFeedbackPacket(); len(packets) > 0 {
		s.back(func() { s.read(packets) })
	}
}

// question is a sender report, which goes the way of the video.
func (s *trial) question() {
	asked := time.Now()
	s.later(asked.Add(max(s.way.free.Sub(asked), 0)+wayTime), func() { s.app.asked, s.app.heard = asked, time.Now() })
}

// report is a receiver report, and a REMB.
func (s *trial) report() {
	r := rtcp.ReceptionReport{SSRC: video, LastSequenceNumber: uint32(s.app.highest)}
	if s.app.expected > 0 {
		r.FractionLost = uint8(255 * (s.app.expected - s.app.arrived) / s.app.expected)
	}
	s.app.expected, s.app.arrived = 0, 0
	if !s.app.heard.IsZero() {
		const era = 2_208_988_800 // from 1900 to 1970, in seconds
		r.LastSenderReport = uint32((s.app.asked.Unix()+era)<<16) + uint32(s.app.asked.Nanosecond()/1000*65536/1_000_000)
		r.Delay = uint32(time.Since(s.app.heard) * 65536 / time.Second)
	}
	wanted := &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(s.app.limit * 1000), SSRCs: []uint32{video}}
	s.back(func() {
		s.link.Received(r, time.Now())
		if s.app.limit > 0 {
			s.link.Limited(wanted, time.Now())
		}
	})
}

// adapt does as the peer does.
func (s *trial) adapt() {
	tier := s.decision.Tier
	now := time.Now()
	s.decision = s.controller.Step(now, s.link.State(now), [3]int{})
	s.link.SetRepairs(s.decision.Repairs)
	if s.decision.Tier != tier && len(s.frames) > 0 {
		s.changes++
		s.key = true
	}
}

// encode sends a picture: more or less as large as it may be, and a key frame is
// what the encoder's buffer allows (VBV).
func (s *trial) encode() {
	now := time.Now()
	s.rates = append(s.rates, sample{now, s.decision.Kbps, s.decision.Tier})
	if s.decision.Pause {
		return
	}
	bytes := float64(s.decision.Kbps) * 1000 / 8 / 15 * (0.8 + 0.5*s.random.Float64())
	if s.key {
		bytes, s.key = float64(s.decision.Kbps)*1000/8*0.25, false
	}
	s.sent += int(bytes)
	n := (int(bytes)-1)/payloadMax + 1
	s.frames = append(s.frames, frame{sent: now, missing: n})
	for i := range n {
		s.packets = append(s.packets, len(s.frames)-1)
		s.write(video, len(s.packets)-1, min(payloadMax, int(bytes)-i*payloadMax))
	}
}

// run lets time pass.
func (s *trial) run(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); <-time.After(simulated) {
		synctest.Wait()
		for now := time.Now(); ; {
			i := slices.IndexFunc(s.events, func(e event) bool { return !e.at.After(now) })
			if i < 0 {
				break
			}
			do := s.events[i].do
			s.events = slices.Delete(s.events, i, i+1)
			do()
		}
	}
}

// become changes the way and the app. What waits goes on waiting.
func (s *trial) become(way bottleneck, a app) {
	if way.queue == 0 {
		way.queue = time.Second
	}
	way.free = s.way.free
	s.way = way
	s.app.stall, s.app.stutter, s.app.late, s.app.limit = a.stall, a.stutter, a.late, a.limit
}
