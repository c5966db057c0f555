package peer

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/rtc"
)

// mtu is the longest RTCP packet that is read, in bytes.
const mtu = 1500

// pump sends the stream to the viewer until the session ends.
func (p *Peer) pump() {
	out := newPacketizer(*p.track.bound)
	flowing := false
	for {
		unit, err := p.subscribed.Next(p.life)
		if p.life.Err() != nil {
			return
		}
		if err != nil {
			p.end(fmt.Errorf("no video: %w", err))
			return
		}
		if !flowing && !unit.Key {
			continue
		}
		sent, err := out.write(unit)
		if err != nil {
			p.end(errAppLeft) // pion's writer fails when it is closed, and then only
			return
		}
		// pion says connected a moment before SRTP is ready, and swallows what
		// is written in between.
		if flowing = sent; !sent {
			p.subscribed.RequestKeyFrame()
			continue
		}
		p.bytes.Add(int64(unit.Size()))
		p.cfg.Stream.Sent()
	}
}

// readRTCP reads until the connection is closed. pion's interceptors see the
// packets on the way; what is left for us are the requests for a key frame:
// PLI (RFC 4585 §6.3.1) and FIR (RFC 5104 §4.3.1).
func (p *Peer) readRTCP() {
	buffer := make([]byte, mtu)
	for {
		n, attributes, err := p.sender.Read(buffer)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buffer[:n])
		if err != nil {
			continue
		}
		p.measure(packets, attributes, time.Now())
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.subscribed.RequestKeyFrame()
			}
		}
	}
}

// measure takes in what the app says of the way to it.
func (p *Peer) measure(packets []rtcp.Packet, a interceptor.Attributes, now time.Time) {
	if p.cfg.Link == nil {
		return
	}
	p.cfg.Link.Feedback(a, now)
	for _, packet := range packets {
		switch packet := packet.(type) {
		case *rtcp.ReceiverReport:
			for _, block := range packet.Reports {
				p.cfg.Link.Received(block, now)
			}
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			p.cfg.Link.Limited(packet, now)
		}
	}
}

// packetizer puts RTP headers (RFC 3550 §5.1) before the shared payloads.
type packetizer struct {
	binding
	sequence uint16
	base     uint32    // the timestamp of epoch
	epoch    time.Time // of the first unit
}

func newPacketizer(b binding) *packetizer {
	return &packetizer{
		binding:  b,
		sequence: uint16(rand.Uint32()), //nolint:gosec // G115, G404: any start will do, SRTP hides it
		base:     rand.Uint32(),         //nolint:gosec // G404: likewise
	}
}

// write sends one unit. It reports whether it has left.
func (w *packetizer) write(u stream.Unit) (sent bool, err error) {
	timestamp := w.timestamp(u.Captured)
	for i, payload := range u.Payloads {
		header := &rtp.Header{ // a new one for each: interceptors keep and change it
			Version:        2,
			Marker:         i == len(u.Payloads)-1,
			PayloadType:    w.payloadType,
			SequenceNumber: w.sequence,
			Timestamp:      timestamp,
			SSRC:           w.ssrc,
		}
		w.sequence++
		n, err := w.writer.WriteRTP(header, payload)
		if err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}

// timestamp is the capture time on the 90 kHz clock of video, so that the
// receiver's clock runs as the camera's does, whatever frames are missing.
func (w *packetizer) timestamp(captured time.Time) uint32 {
	if w.epoch.IsZero() {
		w.epoch = captured
	}
	ticks := captured.Sub(w.epoch).Microseconds() * rtc.ClockRate / 1e6
	return w.base + uint32(ticks) //nolint:gosec // G115: it wraps around
}
