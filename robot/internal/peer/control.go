package peer

import (
	"encoding/json"

	"github.com/pion/webrtc/v4"
)

// Limits of the control channel.
const (
	maxControl  = 4 << 10  // bytes in one message
	maxBuffered = 16 << 10 // bytes that may wait for the app
)

// openControl makes the data channel for what is worthless when late:
// unordered, never sent again (RFC 8832 §5.1).
func (p *Peer) openControl() error {
	ordered, retransmits := false, uint16(0)
	control, err := p.pc.CreateDataChannel("control",
		&webrtc.DataChannelInit{Ordered: &ordered, MaxRetransmits: &retransmits})
	if err != nil {
		return err
	}
	p.control = control
	control.OnMessage(func(m webrtc.DataChannelMessage) {
		if len(m.Data) <= maxControl {
			// A full inbox drops it, as the network might have.
			_ = p.tryPost(func() error { p.controlMessage(m.Data); return nil })
		}
	})
	return nil
}

// controlMessage answers a ping and ignores what it does not know.
func (p *Peer) controlMessage(data []byte) {
	var message struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(data, &message) != nil || message.Type != "ping" {
		return
	}
	if p.control.BufferedAmount() > maxBuffered {
		return // the app does not read
	}
	if err := p.control.SendText(`{"type":"pong"}`); err != nil {
		p.cfg.Log.DebugContext(p.life, "pong not sent", "error", err)
	}
}
