package peer

import (
	"errors"
	"fmt"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
)

// Answer hands over the app's answer. A second one is ignored: the offer is
// sent again while it is unanswered, and an app may answer both.
func (p *Peer) Answer(sdp wire.SessionDescription) {
	p.post(func() error { return p.answer(sdp) })
}

// Candidate hands over one of the app's candidates, before or after its answer.
func (p *Peer) Candidate(c wire.Candidate) {
	p.post(func() error { return p.remoteCandidate(c) })
}

// Online says that the relay can be reached again: what may have got lost
// meanwhile is repeated.
func (p *Peer) Online() {
	p.post(func() error {
		switch p.state {
		case Offered:
			p.sendOffer()
		case Answered:
			for _, c := range p.local {
				p.sendCandidate(c)
			}
		default:
		}
		return nil
	})
}

// offer makes the connection and sends the first offer at once; candidates
// follow as they are gathered (trickle ICE, RFC 8838).
func (p *Peer) offer() error {
	p.releaseHold = p.cfg.Stream.Hold()
	if err := p.connection(); err != nil {
		return fmt.Errorf("the robot cannot set up a connection: %w", err)
	}
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("the robot cannot make an offer: %w", err)
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("the robot cannot make an offer: %w", err)
	}
	p.sendOffer()
	p.enter(Offered)
	for _, d := range p.cfg.Timing.Resend {
		p.after(d, p.repeatOffer)
	}
	p.after(p.cfg.Timing.Answer, func() error {
		if p.state == Offered {
			return errNoAnswer
		}
		return nil
	})
	return nil
}

// connection makes the peer connection, with its one track and its one data
// channel, and lets its callbacks post.
func (p *Peer) connection() error {
	pc, err := p.cfg.API.NewPeerConnection(webrtc.Configuration{ICEServers: rtc.ICEServers(p.cfg.ICEServers)})
	if err != nil {
		return err
	}
	p.pc = pc
	p.track = &track{}
	transceiver, err := pc.AddTransceiverFromTrack(p.track,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	p.sender = transceiver.Sender()
	if err := p.openControl(); err != nil {
		return err
	}
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		p.post(func() error { p.localCandidate(c); return nil })
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		p.post(func() error { return p.connectionState(s) })
	})
	// The association ends when the app closes its connection: nobody has to
	// wait until ICE notices.
	pc.SCTP().OnClose(func(error) { p.end(errAppLeft) })
	return nil
}

// sendOffer sends the offer with all candidates that were gathered so far.
func (p *Peer) sendOffer() {
	local := p.pc.LocalDescription()
	p.send(wire.Message{Type: wire.TypeOffer, SDP: &wire.SessionDescription{Type: "offer", SDP: local.SDP}})
}

// repeatOffer is for apps that lose an offer that comes before they are ready.
func (p *Peer) repeatOffer() error {
	if p.state == Offered {
		p.sendOffer()
	}
	return nil
}

// localCandidate sends a candidate of ours; nil stands for the end of them.
func (p *Peer) localCandidate(c *webrtc.ICECandidate) {
	mid, line := "0", uint16(0) // everything is bundled with the video (RFC 9143)
	next := wire.Candidate{SDPMid: &mid, SDPMLineIndex: &line}
	if c != nil {
		next.Candidate = c.ToJSON().Candidate
	}
	p.local = append(p.local, next)
	p.sendCandidate(next)
}

func (p *Peer) sendCandidate(c wire.Candidate) {
	p.send(wire.Message{Type: wire.TypeICE, Candidate: &c})
}

func (p *Peer) answer(sdp wire.SessionDescription) error {
	if p.state != Offered {
		return nil
	}
	err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp.SDP})
	if err == nil && p.track.bound == nil {
		err = errors.New("it takes no video")
	}
	if err != nil {
		return fmt.Errorf("the app's answer cannot be used: %w", err)
	}
	if p.subscribed, err = p.cfg.Stream.Subscribe(p.track.bound.codec); err != nil {
		return fmt.Errorf("no video: %w", err)
	}
	p.helpers.Go(p.readRTCP)
	for _, c := range p.early {
		p.addCandidate(c)
	}
	p.early = nil
	p.enter(Answered)
	p.after(p.cfg.Timing.Connect, func() error {
		if !p.pumping {
			return errNoPath
		}
		return nil
	})
	return nil
}

func (p *Peer) remoteCandidate(c wire.Candidate) error {
	switch {
	case p.state != Offered:
		p.addCandidate(c)
	case len(p.early) < maxEarly:
		p.early = append(p.early, c)
	default:
		return errOverrun
	}
	return nil
}

// addCandidate gives pion a candidate. One that it can't read costs a path, not
// the session; browsers' mDNS names are skipped by pion itself.
func (p *Peer) addCandidate(c wire.Candidate) {
	err := p.pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex,
	})
	if err != nil {
		p.cfg.Log.DebugContext(p.life, "candidate ignored", "error", err)
	}
}

func (p *Peer) connectionState(s webrtc.PeerConnectionState) error {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		if p.pumping {
			p.subscribed.RequestKeyFrame()
		} else {
			p.pumping = true
			p.helpers.Go(p.pump)
		}
		p.enter(Connected)
	case webrtc.PeerConnectionStateDisconnected:
		p.enter(Disconnected)
	case webrtc.PeerConnectionStateFailed:
		return errNoPath
	default:
	}
	return nil
}
