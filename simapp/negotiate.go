package simapp

import (
	"errors"
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
)

// onOffer answers the robot's offer. One with the ICE credentials of the last
// is the same offer sent again: the answer was lost on its way, and goes out
// again. Other credentials are an ICE restart (RFC 8839 §4.4.3.1.1).
func (v *Viewing) onOffer(offer string) {
	v.reach(PhaseOffer)
	ufrag, err := iceUfrag(offer)
	if err == nil && ufrag == v.ufrag {
		v.sendAnswer()
		return
	}
	if err == nil {
		err = v.answer(offer)
	}
	if err != nil {
		v.end(fmt.Errorf("answer the robot's offer: %w", err))
		return
	}
	v.ufrag = ufrag
	v.sendAnswer()
	v.reach(PhaseAnswer)
	if !isClosed(v.connected) {
		v.expect("a connection to the robot", connectTimeout, connectTimeout)
	}
	for _, c := range v.candidates {
		v.add(c)
	}
	v.candidates = nil
}

// answer makes an answer the local description.
func (v *Viewing) answer(offer string) error {
	v.useFreshCredentials()
	err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return err
	}
	answer, err := v.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if !acceptsVideo(answer.SDP) {
		return ErrNoCodec
	}
	return v.pc.SetLocalDescription(answer)
}

// sendAnswer sends the answer with the candidates known so far. A socket that
// is away just now gets it when it is resumed.
func (v *Viewing) sendAnswer() {
	local := v.pc.LocalDescription()
	v.send(wire.Message{Type: wire.TypeAnswer, SessionID: v.id, SDP: &wire.SessionDescription{
		Type: local.Type.String(), SDP: local.SDP,
	}})
}

func (v *Viewing) send(m wire.Message) {
	if err := v.phone.Send(m); err != nil {
		v.log.Debug("message was not sent", "type", m.Type, "error", err)
	}
}

// onCandidate adds the robot's candidate, or keeps it until its offer is here.
func (v *Viewing) onCandidate(c wire.Candidate) {
	candidate := webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex,
	}
	switch {
	case v.ufrag != "":
		v.add(candidate)
	case len(v.candidates) < maxCandidates:
		v.candidates = append(v.candidates, candidate)
	}
}

// add adds a candidate. One that cannot be used is no reason to give up.
func (v *Viewing) add(c webrtc.ICECandidateInit) {
	if err := v.pc.AddICECandidate(c); err != nil {
		v.log.Debug("candidate was not added", "error", err)
	}
}

// onLocalCandidate sends a candidate of this side; nil is the end of them.
func (v *Viewing) onLocalCandidate(c *webrtc.ICECandidate) {
	candidate := wire.Candidate{}
	if c == nil {
		v.reach(PhaseGathered)
	} else {
		init := c.ToJSON()
		candidate = wire.Candidate{
			Candidate: init.Candidate, SDPMid: init.SDPMid, SDPMLineIndex: init.SDPMLineIndex,
		}
	}
	v.send(wire.Message{Type: wire.TypeICE, SessionID: v.id, Candidate: &candidate})
}

// iceUfrag returns the ICE user fragment of a description (RFC 8839 §5.4), of
// the session or of its first media section.
func iceUfrag(description string) (string, error) {
	var parsed sdp.SessionDescription
	if err := parsed.UnmarshalString(description); err != nil {
		return "", err
	}
	if ufrag, ok := parsed.Attribute("ice-ufrag"); ok && ufrag != "" {
		return ufrag, nil
	}
	for _, media := range parsed.MediaDescriptions {
		if ufrag, ok := media.Attribute("ice-ufrag"); ok && ufrag != "" {
			return ufrag, nil
		}
	}
	return "", errors.New("the description has no ice-ufrag")
}

// acceptsVideo reports whether an answer has a video section that was not
// rejected (port 0, RFC 3264 §6).
func acceptsVideo(answer string) bool {
	var parsed sdp.SessionDescription
	if parsed.UnmarshalString(answer) != nil {
		return false
	}
	for _, media := range parsed.MediaDescriptions {
		if media.MediaName.Media == "video" && media.MediaName.Port.Value != 0 {
			return true
		}
	}
	return false
}
