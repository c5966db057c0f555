package selftest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
)

// unitsAhead is how many pictures may wait: seconds of them.
const unitsAhead = 256

// viewer is an app in this process.
type viewer struct {
	loop  *loop
	pc    *webrtc.PeerConnection
	units chan []byte // access units; closed after the last
}

// watch asks the robot for its video in one codec and returns when the
// connection is agreed on. The viewer ends with ctx, and must be closed.
func watch(ctx context.Context, l *loop, codec string) (*viewer, error) {
	api, err := rtc.NewAPI(ctx, rtc.Options{Codecs: []string{codec}, Loopback: true})
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	v := &viewer{loop: l, pc: pc, units: make(chan []byte, unitsAhead)}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.receive(track, codec) })
	l.say(wire.Message{Type: wire.TypeRequest, ICEServers: &wire.ICEServers{}})
	if err := v.negotiate(ctx); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// negotiate answers the robot's offer, with all candidates in the answer.
func (v *viewer) negotiate(ctx context.Context) error {
	for {
		select {
		case m := <-v.loop.sent:
			switch m.Type {
			case wire.TypeOffer:
				return v.answer(ctx, m.SDP.SDP)
			case wire.TypeRobotError, wire.TypeClose:
				return fmt.Errorf("the robot ended the session: %s%s", m.Error, m.Reason)
			default:
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (v *viewer) answer(ctx context.Context, offer string) error {
	err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(v.pc)
	answer, err := v.pc.CreateAnswer(nil)
	if err == nil {
		err = v.pc.SetLocalDescription(answer)
	}
	if err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	v.loop.say(wire.Message{Type: wire.TypeAnswer, SDP: &wire.SessionDescription{
		Type: "answer", SDP: v.pc.LocalDescription().SDP,
	}})
	return nil
}

// receive joins packets to access units until the connection is closed. What
// nobody takes is lost.
func (v *viewer) receive(track *webrtc.TrackRemote, codec string) {
	defer close(v.units)
	const late = 200 // packets; on loopback none is
	builder := samplebuilder.New(late, depacketizer(codec), rtc.ClockRate)
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		builder.Push(packet)
		for sample := builder.Pop(); sample != nil; sample = builder.Pop() {
			select {
			case v.units <- sample.Data:
			default:
			}
		}
	}
}

func depacketizer(codec string) rtp.Depacketizer {
	if codec == "vp8" {
		return &codecs.VP8Packet{}
	}
	return &codecs.H264Packet{}
}

var errNoPicture = errors.New("no picture arrived")

// next waits for a picture.
func (v *viewer) next(ctx context.Context) ([]byte, error) {
	select {
	case unit, ok := <-v.units:
		if !ok {
			return nil, errNoPicture
		}
		return unit, nil
	case <-ctx.Done():
		return nil, errNoPicture
	}
}

// collect takes what comes within a time, up to the first picture after it.
func (v *viewer) collect(ctx context.Context, d time.Duration) (units [][]byte) {
	for begin := time.Now(); time.Since(begin) < d; {
		unit, err := v.next(ctx)
		if err != nil {
			return units
		}
		units = append(units, unit)
	}
	return units
}

// close hangs up and returns when pion has ended.
func (v *viewer) close() {
	v.loop.say(wire.Message{Type: wire.TypeClose})
	_ = v.pc.GracefulClose()
}
