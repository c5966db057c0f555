package simapp

import (
	"strings"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
)

// open makes the peer connection. Its callbacks post to the owner.
func (v *Viewing) open(servers wire.ICEServers) error {
	pc, err := v.api.NewPeerConnection(v.configuration(servers))
	if err != nil {
		return err
	}
	v.pc = pc
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		v.post(func() { v.onLocalCandidate(c) })
	})
	iceTransport(pc).OnSelectedCandidatePairChange(func(*webrtc.ICECandidatePair) {
		v.post(v.updatePair)
	})
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		v.post(func() { v.onICEState(s) })
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		v.post(func() { v.onState(s) })
	})
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		v.post(func() { v.onTrack(track, receiver) })
	})
	pc.OnDataChannel(func(channel *webrtc.DataChannel) {
		channel.OnMessage(func(m webrtc.DataChannelMessage) {
			v.post(func() { v.onControl(m.Data) })
		})
		v.post(func() { v.onChannel(channel) })
	})
	return nil
}

func (v *Viewing) onICEState(s webrtc.ICEConnectionState) {
	if s == webrtc.ICEConnectionStateConnected {
		v.reach(PhaseConnected)
		v.updatePair()
	}
}

func (v *Viewing) onState(s webrtc.PeerConnectionState) {
	v.log.Debug("peer connection state", "state", s.String())
	switch s {
	case webrtc.PeerConnectionStateConnected:
		v.onConnected()
	case webrtc.PeerConnectionStateFailed:
		v.end(ErrICEFailed)
	default:
	}
}

// onConnected is called after each connect; what follows the first one is the
// first picture.
func (v *Viewing) onConnected() {
	v.reach(PhaseSecured)
	v.updatePair()
	if isClosed(v.connected) {
		return
	}
	close(v.connected)
	if !isClosed(v.live) {
		v.expect("the first picture", frameTimeout, frameTimeout)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// onFirstPicture ends the last phase that has a deadline.
func (v *Viewing) onFirstPicture() {
	close(v.live)
	v.deadline.Stop()
}

// onTrack starts to receive the robot's video; a second track is not expected.
func (v *Viewing) onTrack(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if v.tracked || track.Kind() != webrtc.RTPCodecTypeVideo {
		return
	}
	v.tracked = true
	codec := strings.ToLower(strings.TrimPrefix(track.Codec().MimeType, "video/"))
	v.mu.Lock()
	v.codec = codec
	v.mu.Unlock()
	if err := v.receive(track, receiver, codec); err != nil {
		v.end(err)
	}
}

func (v *Viewing) onChannel(channel *webrtc.DataChannel) {
	if channel.Label() != "control" {
		return
	}
	v.mu.Lock()
	v.control = channel
	v.mu.Unlock()
	channel.OnOpen(func() { // at once, if it is open already
		v.post(func() {
			if !isClosed(v.controllable) {
				close(v.controllable)
			}
		})
	})
}

func (v *Viewing) onControl(data []byte) {
	if v.opts.OnControl != nil {
		v.opts.OnControl(data)
	}
}

// iceTransport returns the one transport of a bundled connection.
func iceTransport(pc *webrtc.PeerConnection) *webrtc.ICETransport {
	return pc.SCTP().Transport().ICETransport()
}

// updatePair notes which candidate pair is in use.
func (v *Viewing) updatePair() {
	selected, ok := iceTransport(v.pc).GetSelectedCandidatePairStats()
	if !ok {
		return
	}
	stats := v.pc.GetStats()
	local, okLocal := stats[selected.LocalCandidateID].(webrtc.ICECandidateStats)
	remote, okRemote := stats[selected.RemoteCandidateID].(webrtc.ICECandidateStats)
	if !okLocal || !okRemote {
		return
	}
	pair := Pair{local.CandidateType.String(), remote.CandidateType.String(), local.Protocol}
	if local.CandidateType == webrtc.ICECandidateTypeRelay && local.RelayProtocol != "" {
		pair.Protocol = local.RelayProtocol
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pair = &pair
}
