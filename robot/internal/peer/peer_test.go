package peer_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/rtc"
)

// frame is what one unit looks like to a receiver.
type frame struct {
	timestamp uint32
	key       bool
}

// receiver reads a track frame by frame and checks what must always hold.
type receiver struct {
	track    *webrtc.TrackRemote
	sequence uint16
	started  bool
}

func (r *receiver) next(t testing.TB) frame {
	t.Helper()
	codec, depacketizer := encode.VP8, rtp.Depacketizer(&codecs.VP8Packet{})
	if r.track.Codec().MimeType == webrtc.MimeTypeH264 {
		codec, depacketizer = encode.H264, &codecs.H264Packet{}
	}
	var unit []byte
	var timestamp uint32
	for first := true; ; first = false {
		if err := r.track.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		packet, _, err := r.track.ReadRTP()
		if err != nil {
			t.Fatal(err)
		}
		if r.started && packet.SequenceNumber != r.sequence+1 {
			t.Errorf("packet %d follows %d", packet.SequenceNumber, r.sequence)
		}
		r.started, r.sequence = true, packet.SequenceNumber
		if first {
			timestamp = packet.Timestamp
		}
		if packet.Timestamp != timestamp {
			t.Errorf("timestamp changes within a frame")
		}
		payload, err := depacketizer.Unmarshal(packet.Payload)
		if err != nil {
			t.Fatal(err)
		}
		unit = append(unit, payload...)
		if packet.Marker {
			return frame{timestamp, encode.IsKeyFrame(codec, unit)}
		}
	}
}

func TestVideoFlows(t *testing.T) {
	for _, c := range []struct {
		name             string
		offered, answers []string
		want             string
	}{
		{"h264 is preferred", nil, nil, webrtc.MimeTypeH264},
		{"only vp8 is taken", nil, []string{"vp8"}, webrtc.MimeTypeVP8},
		{"only h264 is taken", []string{"vp8", "h264"}, []string{"h264"}, webrtc.MimeTypeH264},
		{"vp8 is preferred", []string{"vp8", "h264"}, nil, webrtc.MimeTypeVP8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStream(t)
			o := startSession(t, s, peer.Timing{}, c.offered...)
			_, track := connect(t, o, c.answers...)
			o.awaitState(t, peer.Connected)
			if track.Codec().MimeType != c.want || track.StreamID() == "" {
				t.Errorf("track of %s in stream %q", track.Codec().MimeType, track.StreamID())
			}
			r := &receiver{track: track}
			last := r.next(t)
			if !last.key {
				t.Error("the first frame is no key frame")
			}
			for range 10 {
				next := r.next(t)
				if apart := next.timestamp - last.timestamp; apart == 0 || apart > uint32(patience.Seconds())*rtc.ClockRate {
					t.Errorf("frames are %d ticks apart", apart)
				}
				last = next
			}
			if n := s.Encoders(); n != 1 {
				t.Errorf("%d encoders", n)
			}
		})
	}
}

// TestTheAnswersOrderCounts has an app that lists VP8 first although H264 was
// offered first (RFC 3264 §6.1 lets it).
func TestTheAnswersOrderCounts(t *testing.T) {
	o := startSession(t, newStream(t), peer.Timing{})
	v := newViewer(t)
	answer := v.answer(t, o.await(t, wire.TypeOffer))
	const h264First, vp8First = "SAVPF 102 96 ", "SAVPF 96 102 "
	if !strings.Contains(answer.SDP, h264First) {
		t.Fatalf("unexpected answer:\n%s", answer.SDP)
	}
	answer.SDP = strings.Replace(answer.SDP, h264First, vp8First, 1)
	o.Answer(answer)
	v.trickle(t, o)
	if got := v.track(t).Codec().MimeType; got != webrtc.MimeTypeVP8 {
		t.Errorf("%s is sent", got)
	}
}

func TestKeyFrameOnRequest(t *testing.T) {
	for name, request := range map[string]func(ssrc uint32) rtcp.Packet{
		"PLI": func(ssrc uint32) rtcp.Packet { return &rtcp.PictureLossIndication{MediaSSRC: ssrc} },
		"FIR": func(ssrc uint32) rtcp.Packet {
			return &rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: 1}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := startSession(t, newStream(t), peer.Timing{})
			v, track := connect(t, o)
			r := &receiver{track: track}
			for !r.next(t).key {
				t.Error("the first frame is no key frame")
			}
			if r.next(t).key {
				t.Fatal("a key frame nobody asked for")
			}
			if err := v.pc.WriteRTCP([]rtcp.Packet{request(uint32(track.SSRC()))}); err != nil {
				t.Fatal(err)
			}
			for range 30 {
				if r.next(t).key {
					return
				}
			}
			t.Error("no key frame within a second")
		})
	}
}

func TestPing(t *testing.T) {
	o := startSession(t, newStream(t), peer.Timing{})
	v, _ := connect(t, o)
	control := <-v.control
	if control.Label() != "control" || control.Ordered() || control.MaxRetransmits() == nil || *control.MaxRetransmits() != 0 {
		t.Errorf("channel %q, ordered %v, retransmits %v", control.Label(), control.Ordered(), control.MaxRetransmits())
	}
	opened, answers := make(chan struct{}), make(chan string, 10)
	control.OnOpen(func() { close(opened) })
	control.OnMessage(func(m webrtc.DataChannelMessage) { answers <- string(m.Data) })
	<-opened
	long := `{"type":"ping","x":"` + strings.Repeat("x", 5000) + `"}`
	for _, text := range []string{"", "{", "[]", `{"command":"fly"}`, long, `{"type":"ping"}`} {
		if err := control.SendText(text); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-answers; got != `{"type":"pong"}` {
		t.Errorf("got %s", got)
	}
	if len(answers) != 0 {
		t.Errorf("one more answer: %s", <-answers)
	}
}

func TestUnansweredOfferIsRepeated(t *testing.T) {
	const ms = time.Millisecond
	o := startSession(t, newStream(t), peer.Timing{
		Resend: []time.Duration{ms, 2 * ms, 3 * ms}, Answer: patience, Connect: patience,
	})
	first := o.await(t, wire.TypeOffer)
	for range 3 {
		again := o.await(t, wire.TypeOffer)
		if origin(again) != origin(first) {
			t.Error("another offer, not the same again")
		}
	}
	for o.await(t, wire.TypeICE).Candidate.Candidate != "" { // until the end of candidates
		continue
	}
	o.Online(false)
	full := o.await(t, wire.TypeOffer)
	if !strings.Contains(full.SDP.SDP, "a=candidate:") || !strings.Contains(full.SDP.SDP, "a=end-of-candidates") {
		t.Errorf("the repeated offer lacks candidates:\n%s", full.SDP.SDP)
	}

	v := newViewer(t)
	answer := v.answer(t, full)
	o.Answer(answer)
	o.Answer(answer) // an app that answers both
	v.trickle(t, o)
	o.awaitState(t, peer.Connected)
	v.track(t)
}

func origin(offer wire.Message) string {
	_, o, _ := strings.Cut(offer.SDP.SDP, "o=")
	line, _, _ := strings.Cut(o, "\r\n")
	return line
}

func TestOnlineRepeatsCandidates(t *testing.T) {
	o := startSession(t, newStream(t), peer.Timing{})
	v := newViewer(t)
	answer := v.answer(t, o.await(t, wire.TypeOffer))
	var first []string
	for c := o.await(t, wire.TypeICE).Candidate; ; c = o.await(t, wire.TypeICE).Candidate {
		if c.SDPMid == nil || *c.SDPMid != "0" || c.SDPMLineIndex == nil || *c.SDPMLineIndex != 0 {
			t.Errorf("candidate of %v, %v", c.SDPMid, c.SDPMLineIndex)
		}
		first = append(first, c.Candidate)
		if c.Candidate == "" {
			break
		}
	}
	o.Answer(answer)
	o.awaitState(t, peer.Answered)
	o.Online(false)
	for _, want := range first {
		if got := o.await(t, wire.TypeICE).Candidate.Candidate; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestEarlyAndOddCandidates has an app whose candidates overtake its answer,
// among them some that are no use.
func TestEarlyAndOddCandidates(t *testing.T) {
	o := startSession(t, newStream(t), peer.Timing{})
	v := newViewer(t)
	answer := v.answer(t, o.await(t, wire.TypeOffer))
	for _, odd := range []string{
		"candidate:1 1 udp 2122260223 0f2d7a0e-55aa-4c1b-9b59-5b3fd3b0a3a1.local 54321 typ host",
		"candidate:nonsense", "\x00", "candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype active",
	} {
		o.Candidate(wire.Candidate{Candidate: odd})
	}
	v.trickle(t, o)
	o.Answer(answer)
	o.awaitState(t, peer.Connected)
}

func TestEnds(t *testing.T) {
	timing := peer.Timing{Resend: []time.Duration{}, Answer: patience, Connect: patience}
	impatient := peer.Timing{Resend: []time.Duration{}, Answer: time.Millisecond, Connect: time.Millisecond}
	for name, c := range map[string]struct {
		timing peer.Timing
		do     func(*testing.T, *session)
		want   wire.Message // type none: nothing is said
		fails  string
	}{
		"the relay closes": {timing, func(_ *testing.T, o *session) { o.Close() }, wire.Message{}, ""},
		"the relay closes while media flows": {timing, func(t *testing.T, o *session) {
			connect(t, o)
			o.awaitState(t, peer.Connected)
			o.Close()
		}, wire.Message{}, ""},
		"the robot stops": {
			timing, func(_ *testing.T, o *session) { o.stop() },
			wire.Message{Type: wire.TypeClose, Reason: wire.ReasonRobotLeft},
			"",
		},
		"the app leaves": {timing, func(t *testing.T, o *session) {
			v, _ := connect(t, o)
			control := <-v.control
			opened := make(chan struct{})
			control.OnOpen(func() { close(opened) })
			<-opened
			_ = v.pc.GracefulClose()
		}, wire.Message{Type: wire.TypeClose, Reason: wire.ReasonAppLeft}, ""},
		"no answer": {
			impatient, func(*testing.T, *session) {},
			wire.Message{Type: wire.TypeClose, Reason: wire.ReasonAnswerTimeout},
			"did not answer",
		},
		"no path": {peer.Timing{Resend: timing.Resend, Answer: patience, Connect: time.Millisecond}, func(t *testing.T, o *session) {
			o.Answer(withoutCandidates(newViewer(t).answer(t, o.await(t, wire.TypeOffer))))
		}, wire.Message{Type: wire.TypeRobotError}, "no network path to the app"},
		"too many early candidates": {timing, func(_ *testing.T, o *session) {
			for i := range 65 {
				o.Candidate(wire.Candidate{Candidate: fmt.Sprintf("candidate:%d", i)})
			}
		}, wire.Message{Type: wire.TypeRobotError}, "too many messages"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStream(t)
			o := startSession(t, s, c.timing)
			c.do(t, o)
			err := o.awaitEnd(t)
			o.awaitState(t, peer.Closed)
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("Run returned %v", err)
			}
			if n := s.Encoders(); n != 0 {
				t.Errorf("%d encoders are left", n)
			}
			close(o.sent)
			for _, m := range slices.AppendSeq(o.passed, drain(o.sent)) {
				if m.Type != wire.TypeClose && m.Type != wire.TypeRobotError {
					continue
				}
				if m.Type != c.want.Type || m.Reason != c.want.Reason || !strings.Contains(m.Error, c.fails) && m.Error != "" {
					t.Errorf("said %v: %q %q", m, m.Reason, m.Error)
				}
				c.want.Type = ""
			}
			if c.want.Type != "" {
				t.Errorf("did not say %s", c.want.Type)
			}
		})
	}
}

func drain[T any](c <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}

func withoutCandidates(sdp wire.SessionDescription) wire.SessionDescription {
	var kept []string
	for line := range strings.Lines(sdp.SDP) {
		if !strings.HasPrefix(line, "a=candidate") {
			kept = append(kept, line)
		}
	}
	return wire.SessionDescription{Type: sdp.Type, SDP: strings.Join(kept, "")}
}

func TestBadAnswers(t *testing.T) {
	for name, answer := range map[string]func(t *testing.T, offer wire.Message) string{
		"empty":        func(*testing.T, wire.Message) string { return "" },
		"nonsense":     func(*testing.T, wire.Message) string { return "hello" },
		"nothing else": func(*testing.T, wire.Message) string { return "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" },
		"no codec": func(t *testing.T, offer wire.Message) string {
			return strings.NewReplacer("VP8/90000", "VP9/90000", "H264/90000", "H265/90000").
				Replace(newViewer(t).answer(t, offer).SDP)
		},
		"no fingerprint": func(t *testing.T, offer wire.Message) string {
			return strings.ReplaceAll(newViewer(t).answer(t, offer).SDP, "a=fingerprint", "a=footprint")
		},
		"no ice": func(t *testing.T, offer wire.Message) string {
			return strings.ReplaceAll(newViewer(t).answer(t, offer).SDP, "a=ice-", "a=rice-")
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := startSession(t, newStream(t), peer.Timing{})
			o.Answer(wire.SessionDescription{Type: "answer", SDP: answer(t, o.await(t, wire.TypeOffer))})
			m := o.await(t, wire.TypeRobotError)
			if !strings.Contains(m.Error, "answer cannot be used") || m.Code != wire.CodeInternal {
				t.Errorf("said %+v", m)
			}
			if err := o.awaitEnd(t); err == nil {
				t.Error("Run returned no error")
			}
		})
	}
}

func TestTwoViewersOneEncoder(t *testing.T) {
	s := newStream(t)
	one, two := startSession(t, s, peer.Timing{}), startSession(t, s, peer.Timing{})
	_, first := connect(t, one)
	_, second := connect(t, two)
	a, b := &receiver{track: first}, &receiver{track: second}
	for range 5 {
		a.next(t)
		b.next(t)
	}
	if n := s.Encoders(); n != 1 {
		t.Errorf("%d encoders", n)
	}
	two.Close()
	if err := two.awaitEnd(t); err != nil {
		t.Error(err)
	}
	for range 5 {
		a.next(t)
	}
}

// noted is a camera that says when it is opened and closed.
type noted struct {
	camera.Source
	opened, closed chan struct{}
}

func (n *noted) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	r, err := n.Source.Open(ctx, f)
	n.opened <- struct{}{}
	return notedReader{r, sync.OnceFunc(func() { close(n.closed) })}, err
}

type notedReader struct {
	camera.Reader
	note func()
}

func (r notedReader) Close() error {
	defer r.note()
	return r.Reader.Close()
}

// TestCameraWarmsUpWhileSignaling has a session that is never answered: the
// camera was opened for it, and is closed after it.
func TestCameraWarmsUpWhileSignaling(t *testing.T) {
	cam := &noted{
		Source: camera.FromDriver(&camera.Synthetic{}),
		opened: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	o := startSession(t, newStreamOf(t, cam), peer.Timing{})
	<-cam.opened
	o.Close()
	if err := o.awaitEnd(t); err != nil {
		t.Error(err)
	}
	select {
	case <-cam.closed:
	case <-time.After(patience):
		t.Error("the camera stays open")
	}
}

// FuzzAnswer looks for an answer that brings the robot down.
func FuzzAnswer(f *testing.F) {
	s := newStream(f)
	template := startSession(f, s, peer.Timing{})
	f.Add(newViewer(f).answer(f, template.await(f, wire.TypeOffer)).SDP)
	f.Add("v=0\r\n")
	f.Fuzz(func(t *testing.T, sdp string) {
		o := startSession(t, s, peer.Timing{Resend: []time.Duration{}, Answer: patience, Connect: time.Millisecond})
		o.await(t, wire.TypeOffer)
		o.Answer(wire.SessionDescription{Type: "answer", SDP: sdp})
		if o.awaitEnd(t) == nil {
			t.Error("a session with nobody ended well")
		}
	})
}
