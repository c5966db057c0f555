package simapp

import (
	"context"
	"errors"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
)

// How long each phase of a viewing may take.
const (
	offerTimeout   = wire.OfferTimeout + 2*time.Second // the relay's own limit, and its way here
	connectTimeout = 15 * time.Second
	frameTimeout   = 10 * time.Second
)

const (
	// inboxLen bounds what waits for the owner: all candidates of both sides
	// and every state change are fewer.
	inboxLen = 256
	// maxCandidates bounds the candidates that came before the offer.
	maxCandidates = 64
)

// session is the part of a viewing that its goroutine owns.
type session struct {
	pc         *webrtc.PeerConnection
	ufrag      string // of the offer answered last
	candidates []webrtc.ICECandidateInit
	tracked    bool                  // the video track is being received
	fresh      *webrtc.Configuration // for the next ICE restart; nil: as before
	ticket     wire.Ticket           // the newest one

	deadline *time.Timer // of the phase that goes on
	overdue  *TimeoutError
}

// post gives work to the owner. It never blocks: an inbox that is full ends the
// viewing, because signaling must not be lost silently.
func (v *Viewing) post(work func()) {
	select {
	case <-v.life.Done():
	case v.inbox <- work:
	default:
		v.end(errors.New("the viewing's inbox is full"))
	}
}

// run owns the session until it ends and frees everything of it.
func (v *Viewing) run(servers wire.ICEServers) {
	defer close(v.done)
	defer v.phone.forget(v)
	defer v.deadline.Stop()
	if err := v.open(servers); err != nil {
		v.end(err)
	}
	for v.life.Err() == nil {
		select {
		case work := <-v.inbox:
			work()
		case <-v.deadline.C:
			v.end(v.overdue)
		case <-v.life.Done():
		}
	}
	v.free()
}

func (v *Viewing) free() {
	cause := context.Cause(v.life)
	v.log.Info("viewing ended", "cause", cause)
	if !endedThere(cause) {
		_ = v.phone.Send(wire.Message{Type: wire.TypeClose, SessionID: v.id, Reason: wire.ReasonAppLeft})
	}
	defer v.cutNetwork()
	if v.pc != nil {
		defer time.AfterFunc(rtc.CloseTime, v.cutNetwork).Stop()
		if err := v.pc.GracefulClose(); err != nil {
			v.log.Debug("peer connection did not close cleanly", "error", err)
		}
	}
	v.media.Wait()
}

// endedThere reports whether the others have ended the session, and know.
func endedThere(cause error) bool {
	closed, refused := (*ClosedError)(nil), (*RelayError)(nil)
	return errors.As(cause, &closed) || errors.As(cause, &refused)
}

// expect sets the deadline of the next phase.
func (v *Viewing) expect(missing string, in, limit time.Duration) {
	v.overdue = &TimeoutError{Missing: missing, After: limit}
	if v.deadline == nil {
		v.deadline = time.NewTimer(in)
		return
	}
	v.deadline.Reset(in)
}

// handle acts on one message of the session.
func (v *Viewing) handle(m wire.Message) {
	switch m.Type {
	case wire.TypeOffer:
		v.onOffer(m.SDP.SDP)
	case wire.TypeICE:
		v.onCandidate(*m.Candidate)
	case wire.TypeCredentials:
		v.onFreshCredentials(m)
	case wire.TypeResumed:
		v.onResumed()
	default:
		if err := errorIn(m); err != nil && !v.survives(m) {
			v.end(err)
		}
	}
}

// survives tells the errors that a viewing survives from those that end it. A
// relay that was restarted may not take the session back, but media that flows
// does not need it.
func (v *Viewing) survives(m wire.Message) bool {
	if m.Type != wire.TypeError {
		return false
	}
	switch m.Code {
	case wire.CodeRateLimited, wire.CodeBadMessage, wire.CodeTooLarge:
		return true
	case wire.CodeSessionUnknown:
		return v.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	default:
		return false
	}
}

// resume takes the session over to a new socket. If its path is lost as well,
// by a move to another network or otherwise, the robot is to restart ICE.
func (v *Viewing) resume(moved bool) {
	lost := v.tracked && v.pc.ConnectionState() != webrtc.PeerConnectionStateConnected
	v.send(wire.Message{Type: wire.TypeResume, SessionID: v.id, Restart: moved || lost, Ticket: v.ticket})
}

// onFreshCredentials keeps them for the ICE restart that follows (CONTRACT §4,
// row 11).
func (v *Viewing) onFreshCredentials(m wire.Message) {
	fresh := v.configuration(*m.ICEServers)
	v.fresh = &fresh
	if m.Ticket != "" {
		v.ticket = m.Ticket
	}
}

// useFreshCredentials is for the moment before an ICE restart. pion must not be
// gathering with the old ones: it reads their list without a lock.
func (v *Viewing) useFreshCredentials() {
	if v.fresh == nil || v.pc.ICEGatheringState() == webrtc.ICEGatheringStateGathering {
		return
	}
	if err := v.pc.SetConfiguration(*v.fresh); err != nil {
		v.log.Warn("fresh credentials were not accepted", "error", err)
	}
	v.fresh = nil
}

// onResumed says again what may have been lost with the old socket.
func (v *Viewing) onResumed() {
	if v.ufrag != "" && !isClosed(v.connected) {
		v.sendAnswer()
	}
}

func (v *Viewing) configuration(servers wire.ICEServers) webrtc.Configuration {
	c := webrtc.Configuration{ICEServers: rtc.ICEServers(servers)}
	if v.opts.RelayOnly {
		c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	return c
}
