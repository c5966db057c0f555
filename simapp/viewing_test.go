package simapp

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

const theSession = wire.SessionID("s-1")

// watch makes a viewing whose request the fake relay has granted.
func watch(t *testing.T, p *Phone, r *fakeRelay, opts Options) *Viewing {
	t.Helper()
	go r.grant(t, theSession)
	v, err := p.Watch(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// live makes a viewing that shows pictures.
func live(t *testing.T, p *Phone, r *fakeRelay, opts Options) (*Viewing, *fakeRobot) {
	t.Helper()
	v := watch(t, p, r, opts)
	robot := newRobot(t)
	r.say(robot.offer(t, false))
	robot.accept(t, r.await(t, wire.TypeAnswer))
	robot.trickle(t, r)
	robot.film(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := v.WaitFrames(ctx, 5); err != nil {
		t.Fatalf("no pictures: %v", err)
	}
	return v, robot
}

func TestViewingShowsAndMeasuresPictures(t *testing.T) {
	p, r := dialFake(t)
	var size atomic.Pointer[image.Point]
	v, _ := live(t, p, r, Options{Device: "wimz_1", OnPicture: func(img *image.YCbCr) {
		s := img.Rect.Size()
		size.Store(&s)
	}})
	<-v.Connected()
	total := v.Totals()
	report := v.Report()
	if total.Pictures < 5 || total.Pictures > report.Frames || total.Bytes == 0 || total.Latency == nil ||
		time.Since(total.Newest) > 10*time.Second {
		t.Errorf("totals %+v", total)
	}
	if report.SessionID != theSession || report.Codec != "h264" || report.Frames < 5 {
		t.Errorf("report %+v", report)
	}
	for _, phase := range []Phase{
		PhaseCredentials, PhaseOffer, PhaseAnswer, PhaseGathered, PhaseConnected, PhaseSecured,
		PhasePacket, PhaseKeyFrame, PhaseFrame,
	} {
		if _, ok := report.Phases[phase]; !ok {
			t.Errorf("phase %s is missing", phase)
		}
	}
	if report.TTFF == nil || *report.TTFF != report.Phases[PhaseFrame] {
		t.Error("no time to first frame")
	}
	if report.Latency == nil || report.Latency.P50 <= 0 || report.Latency.P50 > report.Latency.P95 {
		t.Errorf("latency %+v", report.Latency)
	}
	if report.Pair == nil || report.Pair.Protocol != "udp" {
		t.Errorf("pair %+v", report.Pair)
	}
	if s := size.Load(); s == nil || *s != (image.Point{160, 96}) {
		t.Errorf("picture of %v", s)
	}
	v.Close()
	if !errors.Is(v.Err(), ErrClosed) {
		t.Errorf("ended with %v", v.Err())
	}
	if after := v.Report(); after.Frames < report.Frames {
		t.Error("the report was lost")
	}
}

func TestLossCostsItsPictureAndAsksForAKeyFrame(t *testing.T) {
	p, r := dialFake(t)
	v, robot := live(t, p, r, Options{})
	robot.lose.Store(true)
	<-robot.asked
	if err := v.WaitFrames(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if report := v.Report(); *report.Lost == 0 || *report.StampErrors != 0 || *report.Repeated != 0 {
		t.Errorf("lost %d, stamp errors %d, repeated %d; want only losses",
			*report.Lost, *report.StampErrors, *report.Repeated)
	}
}

func TestICERestartIsAnswered(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	robot := newRobot(t)
	first := robot.offer(t, false)
	r.say(first)
	answer := r.await(t, wire.TypeAnswer)
	robot.accept(t, answer)

	r.say(first) // sent again: so is the answer
	was, _ := iceUfrag(answer.SDP.SDP)
	if same, err := iceUfrag(r.await(t, wire.TypeAnswer).SDP.SDP); err != nil || same != was {
		t.Errorf("ufrag %q after %q, %v: another answer to the same offer", same, was, err)
	}
	r.say(robot.offer(t, true))
	again := r.await(t, wire.TypeAnswer)
	is, err := iceUfrag(again.SDP.SDP)
	if err != nil || is == was {
		t.Errorf("ufrag %q after %q, %v: not an answer to the restart", is, was, err)
	}
	robot.accept(t, again)
	robot.trickle(t, r)
	robot.film(t)
	if err = v.WaitFrames(t.Context(), 3); err != nil {
		t.Error(err)
	}
}

func TestCandidatesBeforeTheOfferAreKept(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	robot := newRobot(t)
	offer := robot.offer(t, false)
	var without []string
	for _, line := range strings.SplitAfter(offer.SDP.SDP, "\r\n") {
		if candidate, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			mid := "0"
			r.say(wire.Message{Type: wire.TypeICE, SessionID: theSession, Candidate: &wire.Candidate{
				Candidate: "candidate:" + strings.TrimSpace(candidate), SDPMid: &mid,
			}})
			continue
		}
		without = append(without, line)
	}
	offer.SDP.SDP = strings.Join(without, "")
	r.say(offer)
	answer := r.await(t, wire.TypeAnswer)
	// The robot is told of no candidate, so the app must find it.
	robot.accept(t, answer)
	select {
	case <-v.Connected():
	case <-v.Done():
		t.Error(v.Err())
	}
}

func TestAnswerIsSaidAgainAfterALostSocket(t *testing.T) {
	p, r := dialFake(t)
	watch(t, p, r, Options{})
	robot := newRobot(t)
	offer := robot.offer(t, false)
	r.say(offer)
	r.await(t, wire.TypeAnswer)

	r.reconnect()
	if m := r.await(t, wire.TypeResume); m.SessionID != theSession {
		t.Errorf("resumed %q", m.SessionID)
	}
	r.say(wire.Message{Type: wire.TypeResumed, SessionID: theSession})
	r.await(t, wire.TypeAnswer)
	r.say(offer)
	r.await(t, wire.TypeAnswer)
}

// TestTicketsAreHandedBack: with the newest one a restarted relay knows the session
// again.
func TestTicketsAreHandedBack(t *testing.T) {
	p, r := dialFake(t)
	give := func(ticket wire.Ticket) {
		r.say(wire.Message{
			Type: wire.TypeCredentials, SessionID: theSession, ICEServers: &wire.ICEServers{}, Ticket: ticket,
		})
	}
	go func() {
		r.await(t, wire.TypeRequest)
		give("first")
	}()
	if _, err := p.Watch(t.Context(), Options{}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []wire.Ticket{"first", "second", "second"} {
		r.reconnect()
		if m := r.await(t, wire.TypeResume); m.Ticket != want {
			t.Errorf("resume %d: %s", i, wire.Encode(m))
		}
		give([]wire.Ticket{"second", "", ""}[i])
	}
}

func TestNoCommonCodec(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{Codec: "vp8"})
	r.say(newRobot(t).offer(t, false))
	<-v.Done()
	if !errors.Is(v.Err(), ErrNoCodec) {
		t.Errorf("ended with %v", v.Err())
	}
	r.await(t, wire.TypeClose)
}

func TestUnknownCodecIsRefused(t *testing.T) {
	p, r := dialFake(t)
	go r.grant(t, theSession)
	if _, err := p.Watch(t.Context(), Options{Codec: "av1"}); err == nil {
		t.Error("accepted")
	}
}

func TestSessionEndsWithItsError(t *testing.T) {
	for name, c := range map[string]struct {
		message wire.Message
		want    error
	}{
		"robot full": {
			wire.Message{Type: wire.TypeRobotError, Error: "two viewers", Code: wire.CodeViewerLimit},
			&RelayError{Code: wire.CodeViewerLimit, Text: "two viewers"},
		},
		"robot in the field": {
			wire.Message{Type: wire.TypeRobotError, Error: "no camera"},
			&RelayError{Text: "no camera"},
		},
		"no offer": {
			wire.Message{Type: wire.TypeError, Code: wire.CodeOfferTimeout, Text: "late"},
			&RelayError{Code: wire.CodeOfferTimeout, Text: "late"},
		},
		"closed": {
			wire.Message{Type: wire.TypeClose, Reason: wire.ReasonRobotGone},
			&ClosedError{wire.ReasonRobotGone},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, r := dialFake(t)
			v := watch(t, p, r, Options{})
			c.message.SessionID = theSession
			r.say(c.message)
			<-v.Done()
			if got := v.Err(); got == nil || got.Error() != c.want.Error() {
				t.Errorf("ended with %v, want %v", got, c.want)
			}
			if len(r.sent) != 0 {
				t.Errorf("said %v to a session that had ended", <-r.sent)
			}
		})
	}
}

func TestSomeErrorsAreSurvived(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	r.say(wire.Message{Type: wire.TypeError, SessionID: theSession, Code: wire.CodeRateLimited, Text: "slow down"})
	r.say(newRobot(t).offer(t, false))
	r.await(t, wire.TypeAnswer)
	if v.Err() != nil {
		t.Error(v.Err())
	}
}

func TestVideoSurvivesARelayThatForgotTheSession(t *testing.T) {
	p, r := dialFake(t)
	v, _ := live(t, p, r, Options{})
	unknown := wire.Message{Type: wire.TypeError, SessionID: theSession, Code: wire.CodeSessionUnknown, Text: "unknown"}
	r.say(unknown)
	if err := v.WaitFrames(t.Context(), 5); err != nil {
		t.Error(err)
	}
}

func TestAForgottenSessionWithoutVideoEnds(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	r.say(wire.Message{Type: wire.TypeError, SessionID: theSession, Code: wire.CodeSessionUnknown, Text: "unknown"})
	<-v.Done()
	if refused := (*RelayError)(nil); !errors.As(v.Err(), &refused) {
		t.Errorf("ended with %v", v.Err())
	}
}

func TestSilentRobotIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := dialFake(t)
		v := watch(t, p, r, Options{})
		start := time.Now()
		<-v.Done()
		if timeout := (*TimeoutError)(nil); !errors.As(v.Err(), &timeout) {
			t.Errorf("ended with %v", v.Err())
		}
		if waited := time.Since(start); waited > offerTimeout {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestFullInboxEndsTheViewing(t *testing.T) {
	v := &Viewing{inbox: make(chan func(), 1)}
	v.life, v.end = context.WithCancelCause(t.Context())
	v.post(func() {})
	if v.life.Err() != nil {
		t.Fatal("ended too early")
	}
	v.post(func() {})
	if v.life.Err() == nil {
		t.Error("a message was lost silently")
	}
}

func TestControlChannel(t *testing.T) {
	p, r := dialFake(t)
	heard := make(chan string, 1)
	v := watch(t, p, r, Options{OnControl: func(data []byte) { heard <- string(data) }})
	if err := v.SendControl([]byte("{}")); !errors.Is(err, ErrNoControl) || isClosed(v.Controllable()) {
		t.Errorf("sent before it is open: %v", err)
	}
	robot := newRobot(t)
	channel, err := robot.pc.CreateDataChannel("control", nil)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	channel.OnOpen(func() { _ = channel.SendText(`{"type":"video_quality"}`) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) { said <- string(m.Data) })
	r.say(robot.offer(t, false))
	robot.accept(t, r.await(t, wire.TypeAnswer))
	robot.trickle(t, r)
	<-v.Controllable()
	if got := <-heard; !strings.Contains(got, "video_quality") {
		t.Errorf("heard %q", got)
	}
	if err = v.SendControl([]byte(`{"command":"stop"}`)); err != nil {
		t.Error(err)
	}
	if got := <-said; !strings.Contains(got, "stop") {
		t.Errorf("the robot heard %q", got)
	}
	for want, send := range map[string]func() error{
		`{"command":"motor","left":0.5,"right":-0.25}`: func() error { return v.Drive(0.5, -0.25) },
		`{"command":"stop"}`:                           func() error { return v.Stop(false) },
		`{"command":"emergency_stop"}`:                 func() error { return v.Stop(true) },
	} {
		if err = send(); err != nil {
			t.Error(err)
		}
		if got := <-said; got != want {
			t.Errorf("the robot heard %q, want %q", got, want)
		}
	}
}

func TestPhoneCloseEndsItsViewings(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	p.Close()
	if !errors.Is(v.Err(), ErrClosed) || !errors.Is(p.Err(), ErrClosed) {
		t.Errorf("viewing %v, phone %v", v.Err(), p.Err())
	}
	r.await(t, wire.TypeClose)
	if _, err := p.Watch(t.Context(), Options{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed phone watches: %v", err)
	}
	p.Close()
}

func TestLoginEndEndsEverything(t *testing.T) {
	p, r := dialFake(t)
	v := watch(t, p, r, Options{})
	r.drop <- client.ErrUnauthorized
	<-v.Done()
	<-p.Done()
	if !errors.Is(v.Err(), client.ErrUnauthorized) || !errors.Is(p.Err(), client.ErrUnauthorized) {
		t.Errorf("viewing %v, phone %v", v.Err(), p.Err())
	}
}

func TestReportIsJSONAsDocumented(t *testing.T) {
	ttff, zero := 71.5, 0
	for name, c := range map[string]struct {
		report Report
		want   string
	}{
		"stamped": {
			Report{
				SessionID: "s", Codec: "h264", Frames: 3, FPS: 15, TTFF: &ttff,
				Phases: map[Phase]float64{PhaseOffer: 8}, Latency: &Latency{11, 15},
				StampErrors: &zero, Lost: &zero, Repeated: &zero, BitrateKbps: 1500,
				Pair: &Pair{"host", "relay", "udp"},
			},
			`{"session_id":"s","codec":"h264","frames":3,"fps":15,"ttff_ms":71.5,"phases_ms":{"offer":8},` +
				`"latency_ms":{"p50":11,"p95":15},"stamp_errors":0,"lost":0,"repeated":0,"freezes":0,"longest_gap_ms":0,` +
				`"bitrate_kbps":1500,"pair":{"local":"host","remote":"relay","protocol":"udp"}}`,
		},
		"unstamped": {
			Report{SessionID: "s", Phases: map[Phase]float64{}},
			`{"session_id":"s","codec":"","frames":0,"fps":0,"ttff_ms":null,"phases_ms":{},` +
				`"latency_ms":null,"stamp_errors":null,"lost":null,"repeated":null,"freezes":0,"longest_gap_ms":0,` +
				`"bitrate_kbps":0,"pair":null}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(c.report)
			if err != nil || string(got) != c.want {
				t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
			}
		})
	}
}
