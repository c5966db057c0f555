package peer

import (
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
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

// Renew hands over other ICE servers (CONTRACT §4, row 11): ICE restarts with
// them. Those that come before the first answer wait for it.
func (p *Peer) Renew(servers wire.ICEServers) {
	p.post(func() error {
		p.renewal = rtc.ICEServers(servers)
		return p.renew()
	})
}

// renew uses new ICE servers as soon as there is something to restart, and pion
// is not gathering with the old ones: it reads their list without a lock.
func (p *Peer) renew() error {
	if p.renewal == nil || p.subscribed == nil || p.pc.ICEGatheringState() == webrtc.ICEGatheringStateGathering {
		return nil
	}
	servers := p.renewal
	p.renewal = nil
	if err := p.pc.SetConfiguration(webrtc.Configuration{ICEServers: servers}); err != nil {
		return fmt.Errorf("the new ICE servers cannot be used: %w", err)
	}
	return p.restart()
}

// Online says that the relay can be reached again: what may have got lost
// meanwhile is repeated. If the robot has changed networks its candidates are
// worth nothing, and ICE restarts.
func (p *Peer) Online(moved bool) {
	p.post(func() error {
		switch {
		case p.offers == 0:
		case moved && p.subscribed != nil:
			return p.restart()
		case !p.answered:
			p.sendOffer()
		case p.state == Answered:
			for _, c := range p.local {
				p.sendCandidate(c)
			}
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
	if err := p.propose(nil); err != nil {
		return err
	}
	p.enter(Offered)
	return nil
}

// restart offers again, with new ICE credentials and candidates (RFC 8445 §9). pion
// has no path until it finds one, and nothing is sent for so long: what it swallowed
// would look like a jam.
func (p *Peer) restart() error {
	if p.pumping { // else nothing is sent yet
		p.subscribed.Pause(true)
	}
	if err := p.propose(&webrtc.OfferOptions{ICERestart: true}); err != nil {
		return err
	}
	p.enter(Disconnected)
	return nil
}

// propose makes an offer, sends it, and sends it again while it is unanswered:
// apps in the field lose one that comes before they are ready.
func (p *Peer) propose(options *webrtc.OfferOptions) error {
	p.local = nil
	offer, err := p.pc.CreateOffer(options)
	if err == nil {
		err = p.pc.SetLocalDescription(offer)
	}
	if err != nil {
		return fmt.Errorf("the robot cannot make an offer: %w", err)
	}
	p.offers++
	p.answered, p.linked = false, false
	p.sendOffer()
	for _, d := range p.cfg.Timing.Resend {
		p.unanswered(d, func() error { p.sendOffer(); return nil })
	}
	p.unanswered(p.cfg.Timing.Answer, func() error { return errNoAnswer })
	return nil
}

// unanswered posts an action for later, for when this offer is unanswered then.
func (p *Peer) unanswered(d time.Duration, act func() error) {
	mine := p.offers
	p.after(d, func() error {
		if p.answered || p.offers != mine {
			return nil
		}
		return act()
	})
}

// connection makes the peer connection, with its one track and its one data
// channel, and lets its callbacks post.
func (p *Peer) connection() error {
	api, err := p.cfg.NewAPI(p.network)
	if err != nil {
		return err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{ICEServers: rtc.ICEServers(p.cfg.ICEServers)})
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
	pc.OnICEGatheringStateChange(func(webrtc.ICEGatheringState) { p.post(p.renew) })
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
	if p.answered || p.offers == 0 {
		return nil
	}
	err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp.SDP})
	if err == nil && p.track.bound == nil {
		err = errors.New("it takes no video")
	}
	if err != nil {
		return fmt.Errorf("the app's answer cannot be used: %w", err)
	}
	p.answered, p.direct = true, rtc.Direct(sdp.SDP)
	if p.subscribed == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	for _, c := range p.early {
		p.addCandidate(c)
	}
	p.early = nil
	mine := p.offers
	p.hasten(mine, 1)
	p.after(p.cfg.Timing.Connect, func() error {
		if p.offers == mine && !p.linked {
			return errNoPath
		}
		return nil
	})
	return p.renew()
}

// hasten lets pion look for a path in shorter steps than its own, n times so far.
func (p *Peer) hasten(offer, n int) {
	p.after(rtc.HastenInterval, func() error {
		if p.offers != offer || p.linked || n > rtc.Hastenings {
			return nil
		}
		if err := rtc.Hasten(p.pc, n); err != nil {
			p.cfg.Log.DebugContext(p.life, "not hastened", "error", err)
		}
		p.hasten(offer, n+1)
		return nil
	})
}

// begin starts what the first answer makes possible.
func (p *Peer) begin() (err error) {
	p.rendition = stream.Rendition{Codec: p.track.bound.codec, Tier: quality.High, Overlay: !p.plain}
	if p.subscribed, err = p.cfg.Stream.Subscribe(p.rendition); err != nil {
		return fmt.Errorf("no video: %w", err)
	}
	p.help(p.readRTCP)
	p.enter(Answered)
	return nil
}

func (p *Peer) remoteCandidate(c wire.Candidate) error {
	switch {
	case p.answered:
		p.addCandidate(c)
	case len(p.early) < maxEarly:
		p.early = append(p.early, c)
	default:
		return errOverrun
	}
	return nil
}

// addCandidate gives pion a candidate. One that it can't read costs a path, not
// the session; browsers' mDNS names are skipped by pion itself. Candidates come
// best first: an app whose first is a TURN server's has no other path to hope for.
func (p *Peer) addCandidate(c wire.Candidate) {
	if p.direct = p.direct || rtc.Direct(c.Candidate); !p.direct {
		c.Candidate = rtc.Prefer(c.Candidate)
	}
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
		p.linked = true
		if p.pumping {
			p.goOn()
		} else {
			p.pumping = true
			p.help(p.pump)
			p.help(p.tick)
		}
		p.enter(Connected)
	case webrtc.PeerConnectionStateDisconnected:
		p.driver.Release("the driver's connection is interrupted")
		p.enter(Disconnected)
	case webrtc.PeerConnectionStateFailed:
		return errNoPath
	default:
	}
	return nil
}

// goOn sends again after an interruption, maybe on another path.
func (p *Peer) goOn() {
	if p.cfg.Link != nil {
		p.cfg.Link.Moved()
	}
	p.subscribed.Pause(false)
	p.subscribed.RequestKeyFrame()
}
