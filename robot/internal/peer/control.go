package peer

import (
	"encoding/json"
	"errors"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/robot/internal/control"
)

// maxBuffered is how many bytes may wait for the app on the control channel.
const maxBuffered = 16 << 10

// openControl makes the data channel for what is worthless when late:
// unordered, never sent again (RFC 8832 §5.1).
func (p *Peer) openControl() error {
	ordered, retransmits := false, uint16(0)
	channel, err := p.pc.CreateDataChannel("control",
		&webrtc.DataChannelInit{Ordered: &ordered, MaxRetransmits: &retransmits})
	if err != nil {
		return err
	}
	p.control = channel
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		if err := p.guard(func() error { p.hear(m.Data); return nil }); err != nil {
			p.end(err)
		}
	})
	channel.OnClose(func() { p.driver.Leave("the driver's control channel is closed") })
	return nil
}

// hear takes in one message of the app, in pion's goroutine: what moves the robot
// has no time to wait in the inbox.
func (p *Peer) hear(frame []byte) {
	if p.life.Err() != nil {
		return
	}
	m, err := control.Decode(frame)
	switch {
	case errors.Is(err, control.ErrUnknown):
	case err != nil:
		p.driver.Refuse(string(m.Kind), err)
	case m.Kind == control.Motor:
		p.driver.Drive(m.Speed)
	case m.Kind == control.Stop, m.Kind == control.EmergencyStop:
		p.driver.Stop(m.Kind)
	default:
		// A full inbox drops it, as the network might have.
		_ = p.tryPost(func() error { p.obey(m); return nil })
	}
}

// obey carries out what does not move the robot.
func (p *Peer) obey(m control.Message) {
	switch m.Kind {
	case control.Ping:
		p.say(json.RawMessage(`{"type":"pong"}`))
	case control.SetVideoQuality:
		p.setQuality(m.Quality)
	case control.SetOverlay:
		p.setOverlay(m.Overlay)
	default:
	}
}

// say sends one JSON message to the app, or drops it: if the channel is not
// open, or the app does not read. It may be called from any goroutine once the
// connection has been made.
func (p *Peer) say(v any) {
	if p.control == nil || p.control.BufferedAmount() > maxBuffered {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = p.control.SendText(string(text))
	}
	if err != nil {
		p.cfg.Log.DebugContext(p.life, "nothing said on the control channel", "error", err)
	}
}
