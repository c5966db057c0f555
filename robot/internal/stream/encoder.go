package stream

import (
	"context"
	"image"
	"io"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/quality"
)

// maxPayload is the longest RTP payload in bytes. With RTP header and
// extensions, an RTX number and the SRTP tag it stays within 1200 bytes, which
// passes every network, TURN's own header included.
const maxPayload = 1150

// Unit is one encoded picture, cut into RTP payloads (RFC 6184 §5.4, RFC 7741
// §4). It is shared by all who watch: nobody writes to it.
type Unit struct {
	Payloads [][]byte
	Captured time.Time // when the camera took the picture
	Key      bool      // it can be decoded without any before it
}

// Size returns the bytes of all payloads.
func (u Unit) Size() (bytes int) {
	for _, p := range u.Payloads {
		bytes += len(p)
	}
	return bytes
}

// encoder encodes the newest pictures as one rendition, for its subscribers.
type encoder struct {
	stream    *Stream
	rendition Rendition
	keys      keyLimiter
	ctx       context.Context //nolint:containedctx // the life of the encoder
	stop      context.CancelFunc
	done      chan struct{}

	subscribers []*Subscription // guarded by stream.mu; replaced, never changed
}

func newEncoder(s *Stream, r Rendition) *encoder {
	ctx, stop := context.WithCancel(s.ctx)
	return &encoder{stream: s, rendition: r, ctx: ctx, stop: stop, done: make(chan struct{})}
}

// run encodes until the encoder is stopped, and returns nil then.
func (e *encoder) run() error {
	defer e.stop()
	source := &pictures{encoder: e, box: newBox(look{e.rendition.Tier, e.rendition.Overlay}), kbps: e.target()}
	rung := e.stream.ladder[e.rendition.Tier]
	native, err := encode.New(source, encode.Settings{
		Codec: e.rendition.Codec,
		Width: rung.Size.X, Height: rung.Size.Y,
		FPS: float64(e.stream.settings.FPS), BitrateKbps: source.kbps,
		FullRange: true, // as image.YCbCr is (JFIF)
	})
	if err != nil {
		return err
	}
	defer native.Close() //nolint:errcheck // frees memory
	source.native = native

	e.stream.studio.add(source.box)
	defer e.stream.studio.remove(source.box)
	payloader := newPayloader(e.rendition.Codec)
	for {
		data, release, err := native.Read()
		if e.ctx.Err() != nil {
			return nil // stopped, as it was asked to
		}
		if err != nil {
			return err
		}
		e.stream.settings.Counters.Encode(time.Since(source.taken))
		unit := Unit{
			Payloads: payloader.Payload(maxPayload, data), // copies
			Captured: source.captured,
			Key:      encode.IsKeyFrame(e.rendition.Codec, data),
		}
		release()
		e.publish(unit)
	}
}

func (e *encoder) publish(u Unit) {
	if u.Key {
		// Whoever asked up to now is served by this one.
		e.keys.made(time.Now())
	}
	for _, sub := range e.stream.subscribers(e) {
		sub.push(e, u)
	}
}

// minKbps is the least that an encoder is asked for: with less no picture can be
// recognised.
const minKbps = 50

// target is the bit rate that the viewers can take, in kilobits a second. Nobody
// is held down by a slower viewer to less than three quarters of what he can
// take: the slower one has lower tiers to go to. In the lowest tier all wait for
// the slowest.
func (e *encoder) target() int {
	least, most := 0, 0
	for _, sub := range e.stream.subscribers(e) {
		if kbps := sub.Bitrate(); kbps > 0 {
			most = max(most, kbps)
			if least == 0 || kbps < least {
				least = kbps
			}
		}
	}
	if least > 0 && e.rendition.Tier > quality.Low {
		least = max(least, most*3/4)
	}
	if least == 0 {
		least = e.stream.ladder[e.rendition.Tier].Kbps
	}
	return min(max(least, minKbps), e.stream.ladder[quality.High].Kbps)
}

// paused reports whether all viewers wait for their links.
func (e *encoder) paused() bool {
	subscribers := e.stream.subscribers(e)
	for _, sub := range subscribers {
		if !sub.paused.Load() {
			return false
		}
	}
	return len(subscribers) > 0
}

func newPayloader(codec encode.Codec) rtp.Payloader {
	if codec == encode.VP8 {
		return &codecs.VP8Payloader{}
	}
	return &codecs.H264Payloader{}
}

// pictures is what an encoder reads: the newest pictures, one by one. As late as
// possible it decides which one becomes a key frame, and at what price.
type pictures struct {
	encoder  *encoder
	native   *encode.Encoder
	box      *box
	kbps     int       // that native encodes at
	captured time.Time // of the picture that was read last
	taken    time.Time // when that was
}

// Read implements mediadevices' video.Reader.
func (p *pictures) Read() (image.Image, func(), error) {
	for {
		select {
		case picture := <-p.box.newest:
			if p.encoder.paused() {
				picture.release()
				continue
			}
			p.begin(picture)
			return picture.img, picture.release, nil
		case <-p.encoder.ctx.Done():
			return nil, nil, io.EOF
		}
	}
}

// begin prepares the encoder for a picture.
func (p *pictures) begin(next *picture) {
	p.captured, p.taken = next.captured, time.Now()
	if kbps := p.encoder.target(); kbps != p.kbps && p.native.SetBitrate(kbps) == nil {
		p.kbps = kbps
	}
	if p.encoder.keys.take(time.Now()) {
		p.native.ForceKeyFrame()
	}
}
