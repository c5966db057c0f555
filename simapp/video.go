package simapp

import (
	"context"
	"fmt"
	"image"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
	"wimz.dev/live/simapp/internal/assemble"
)

// unitsLen is how many coded pictures may wait for the decoder: half a second.
// If it is slower than that, all of them are dropped up to the next key frame.
const unitsLen = 8

// stream receives one track: a goroutine reads packets and joins them to units,
// another decodes.
type stream struct {
	viewing *Viewing
	codec   string
	track   *webrtc.TrackRemote
	joiner  *assemble.Assembler // owned by the reader
	decoder *decode.Decoder     // owned by the decoding goroutine
	keys    *keyRequester
	units   chan assemble.Unit
}

// receive starts the goroutines of the video track. They end with the viewing,
// after its peer connection is closed.
func (v *Viewing) receive(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver, codec string) error {
	joiner, err := assemble.New(codec)
	if err != nil {
		return err
	}
	decoder, err := decode.New(codec)
	if err != nil {
		return fmt.Errorf("open the %s decoder: %w", codec, err)
	}
	s := &stream{
		viewing: v, codec: codec, track: track, joiner: joiner, decoder: decoder,
		units: make(chan assemble.Unit, unitsLen),
	}
	pc := v.pc
	s.keys = newKeyRequester(func() {
		_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
	})
	v.media.Go(func() { drainRTCP(receiver) })
	v.media.Go(func() { s.keys.run(v.life) })
	v.media.Go(s.read)
	v.media.Go(func() { s.decode(v.life) })
	return nil
}

// drainRTCP lets the interceptors see the sender reports, without which the
// robot cannot measure the round trip (RFC 3550 §6.4.1).
func drainRTCP(receiver *webrtc.RTPReceiver) {
	for {
		if _, _, err := receiver.ReadRTCP(); err != nil {
			return
		}
	}
}

// read takes packets until the peer connection is closed.
func (s *stream) read() {
	for {
		packet, _, err := s.track.ReadRTP()
		if err != nil {
			return
		}
		now := time.Now()
		s.viewing.onPacket(len(packet.Payload), now)
		units, gap := s.joiner.Push(packet, now)
		if gap {
			s.keys.need()
		}
		for _, u := range units {
			s.queue(u)
		}
	}
}

// queue gives a unit to the decoder. A queue that is full is emptied: what it
// holds is too old to be shown, and what follows cannot be decoded without it.
func (s *stream) queue(u assemble.Unit) {
	select {
	case s.units <- u:
		return
	default:
	}
	for len(s.units) > 0 {
		select {
		case <-s.units:
		default: // the decoder was faster
		}
	}
	u.AfterLoss = true
	s.units <- u
}

// decode decodes units until the viewing ends. It begins with a key frame, and
// does so again after a loss; a decoder that went on would show grey smear.
func (s *stream) decode(ctx context.Context) {
	defer s.decoder.Close()
	needKey := true
	for {
		select {
		case <-ctx.Done():
			return
		case u := <-s.units:
			if u.AfterLoss || needKey {
				needKey = !s.restart(u)
			}
			if needKey {
				continue
			}
			picture, err := s.decoder.Decode(u.Data)
			if err != nil {
				needKey = true
				s.keys.need()
				s.viewing.log.DebugContext(ctx, "unit was not decoded", "error", err)
				continue
			}
			if picture != nil {
				s.viewing.onPicture(picture, time.Now())
				s.hand(u, picture.Rect.Size())
			}
		}
	}
}

// hand gives a picture on as it came.
func (s *stream) hand(u assemble.Unit, size image.Point) {
	if s.viewing.opts.OnCoded != nil {
		s.viewing.opts.OnCoded(Coded{s.codec, u.Timestamp, u.Key, size, u.Data})
	}
}

// restart makes the decoder ready for a key frame and reports whether the unit
// is one.
func (s *stream) restart(u assemble.Unit) bool {
	if !u.Key {
		s.keys.need()
		return false
	}
	s.viewing.reach(PhaseKeyFrame)
	s.keys.satisfied()
	s.decoder.Flush()
	return true
}

func (v *Viewing) onPacket(size int, at time.Time) {
	v.reach(PhasePacket)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.meter.Packet(size, at)
}

func (v *Viewing) onPicture(picture *image.YCbCr, at time.Time) {
	var stamp *testpattern.Stamp
	if s, err := testpattern.Read(picture); err == nil {
		stamp = &s
	}
	v.reach(PhaseFrame)
	v.mu.Lock()
	first := v.meter.LastPicture().IsZero()
	v.meter.Picture(at, stamp)
	close(v.changed)
	v.changed = make(chan struct{})
	v.mu.Unlock()
	if first {
		v.post(v.onFirstPicture)
	}
	if v.opts.OnPicture != nil {
		v.opts.OnPicture(picture)
	}
}
